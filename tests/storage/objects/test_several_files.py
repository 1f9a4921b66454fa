"""Several files of one upload go to a bucket at the same time, and none of them is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.files.area import AreaError, FileArea
from orthanc_lab.storage.objects.area import ObjectArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN

FILES = 20


class WatchedArea:
    """Counts the writes that are under way at the same time; `fail` is asked before each."""

    def __init__(self, area: FileArea) -> None:
        self._area = area
        self._condition = threading.Condition()
        self._under_way = 0
        self.most = 0
        self.awaited = 1  # writes that must be under way before the first one goes on
        self.written: list[str] = []
        self.removed: list[str] = []
        self.fail: Callable[[int, str], None] = lambda number, name: None
        self.sync, self.read = area.sync, area.read

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        with self._condition:
            self.written.append(name)
            number = len(self.written)
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            self._condition.notify_all()
            assert self._condition.wait_for(lambda: self.most >= self.awaited, 10)
        try:
            self.fail(number, name)
            self._area.write(name, data, sync=sync)
        finally:
            with self._condition:
                self._under_way -= 1

    def remove(self, name: str) -> None:
        self.removed.append(name)
        self._area.remove(name)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def area(store: MemoryStore) -> WatchedArea:
    return WatchedArea(ObjectArea(store))


@pytest.fixture
def open_it(area: WatchedArea, tmp_path: Path) -> Iterator[Callable[[], Storage]]:
    opened: list[Storage] = []

    def open_it() -> Storage:
        opened.append(open_storage(tmp_path, options=StorageOptions(), area=area, is_elsewhere=True))
        return opened[-1]

    yield open_it
    for storage in opened:
        storage.close()


def large_files() -> list[bytes]:
    return [dicom(pixels=LARGE) for _ in range(FILES)]


def keys_in(store: MemoryStore) -> list[str]:
    return sorted(item["path"] for item in store.list().collect())


def test_eight_at_the_same_time(area: WatchedArea, store: MemoryStore, open_it: Callable[[], Storage]) -> None:
    storage = open_it()
    area.awaited = 8
    files = large_files()
    stored = storage.store_all(iter(files), ORIGIN)
    assert area.most == 8
    assert [storage.read_dicom(one.instance) for one in stored] == files
    assert keys_in(store) == sorted(area.written)


@pytest.mark.parametrize("number", [1, 10, FILES])
def test_a_bucket_that_refuses_one(
    area: WatchedArea, store: MemoryStore, open_it: Callable[[], Storage], number: int
) -> None:
    storage = open_it()

    def fail(current: int, name: str) -> None:
        if current == number:
            raise AreaError("no", is_away=False)

    area.fail = fail
    with pytest.raises(OrthancError) as caught:
        storage.store_all(iter(large_files()), ORIGIN)
    assert caught.value.code == 32
    assert (keys_in(store), storage.statistics().instances) == ([], 0)
    area.fail = lambda number, name: None
    assert len(storage.store_all(iter(large_files()), ORIGIN)) == FILES


def test_one_that_appears_after_all_is_removed_by_the_next_start(
    area: WatchedArea, store: MemoryStore, open_it: Callable[[], Storage]
) -> None:
    storage = open_it()
    late: list[str] = []

    def fail(current: int, name: str) -> None:
        if current == 3:
            late.append(name)
            raise AreaError("no answer", is_away=True)

    area.fail = fail
    with pytest.raises(OrthancError) as caught:
        storage.store_all(iter(large_files()), ORIGIN)
    assert caught.value.code == 36
    assert keys_in(store) == []
    store.put(late[0], b"it has been on its way")
    storage.close()
    storage = open_it()
    assert (keys_in(store), storage.statistics().instances) == ([], 0)
