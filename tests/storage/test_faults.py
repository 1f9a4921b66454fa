"""Full disks, read-only disks, files that vanish: a clear error, nothing lost, and it works again."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.storage.files.log_file import DiskLog
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.connections import connect
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, changes_of, code_of, put
from tests.storage.conftest import House
from tests.storage.faulty_area import FaultyArea
from tests.waiting import until


@pytest.fixture
def area(house: House) -> FaultyArea:
    return FaultyArea(house.folder)


@pytest.fixture
def storage(house: House, area: FaultyArea, connection: FailingConnection) -> Storage:
    return house.open(area=area, connect=connection.connect, sync_storage_area=True, maximum_cache_size=0)


def look(storage: Storage) -> Any:
    return (storage.statistics(), changes_of(storage), [storage.list_resources(level) for level in Level])


FULL = pytest.mark.parametrize(
    ("fault", "code"), [(errno.ENOSPC, 19), ("short", 19), (errno.EROFS, 14), (errno.EACCES, 14), (errno.EIO, 14)]
)


@FULL
def test_a_file_that_cannot_be_written(
    house: House, storage: Storage, area: FaultyArea, fault: int | str, code: int
) -> None:
    put(storage, pixels=LARGE)
    before, files = look(storage), house.files()
    area.faults["write"] = fault
    file = dicom(patient="Q", study="5", series="6", pixels=LARGE)
    assert code_of(storage.store, file, ORIGIN) == code
    assert code_of(storage.put_attachment, storage.list_ids(Level.STUDY)[0], 1024, LARGE) == code
    assert code_of(storage.store_all, [dicom(), dicom(pixels=LARGE)], ORIGIN) == code
    assert look(storage) == before
    assert house.files() == files
    area.faults.clear()
    assert storage.read_dicom(storage.store(file, ORIGIN).instance) == file


def test_a_disk_that_fails_while_it_writes_back(house: House, storage: Storage, area: FaultyArea) -> None:
    area.faults["sync"] = errno.ENOSPC
    assert code_of(storage.store_all, [dicom(pixels=LARGE), dicom(pixels=LARGE)], ORIGIN) == 19
    assert house.files() == []
    assert storage.statistics().instances == 0
    area.faults.clear()
    assert len(storage.store_all([dicom(pixels=LARGE), dicom(pixels=LARGE)], ORIGIN)) == 2


def test_a_file_that_cannot_be_removed_is_removed_at_the_next_start(
    house: House, storage: Storage, area: FaultyArea
) -> None:
    stored = put(storage, pixels=LARGE)
    area.faults["remove"] = errno.EROFS
    assert storage.delete(stored.instance) == (True, None)
    assert storage.list_ids(Level.INSTANCE) == []
    assert len(house.files()) == 1
    house.reopen()
    assert house.files() == []


def test_a_file_that_vanished(storage: Storage, area: FaultyArea) -> None:
    stored = put(storage, pixels=LARGE)
    area.faults["read"] = errno.ENOENT
    assert code_of(storage.read_dicom, stored.instance) == 13
    assert code_of(storage.read_dicom_header, stored.instance) == 13
    assert storage.get(stored.instance) is not None
    area.faults.clear()
    assert storage.read_dicom(stored.instance)


@pytest.mark.parametrize(
    ("fault", "code"), [(errno.EIO, 20), (errno.EACCES, 20), (errno.EMFILE, 36), (errno.ENFILE, 36)]
)
def test_a_file_that_cannot_be_read_is_not_taken_for_a_deleted_one(
    storage: Storage, area: FaultyArea, fault: int, code: int
) -> None:
    stored = put(storage, pixels=LARGE)
    area.faults["read"] = fault
    assert code_of(storage.read_dicom, stored.instance) == code
    assert code_of(storage.read_dicom_header, stored.instance) == code
    assert code_of(storage.reconstruct, stored.study) == code  # and not a success that did nothing
    area.faults.clear()
    storage.reconstruct(stored.study)
    assert storage.read_dicom(stored.instance)


class FailingConnection:
    """Stands for the connection that writes the index; fails at chosen statements."""

    def __init__(self) -> None:
        self._real: sqlite3.Connection | None = None
        self.fails: Callable[[str], bool] = lambda statement: False
        self.code = sqlite3.SQLITE_FULL

    def connect(self, path: Path) -> Any:
        """Open a connection; the first one is this."""
        real = connect(path)
        if self._real is None:
            self._real = real
            return self
        return real

    def execute(self, statement: str, *parameters: Any) -> Any:
        if self.fails(statement):
            error = sqlite3.OperationalError("injected")
            error.sqlite_errorcode = self.code
            raise error
        assert self._real is not None
        return self._real.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def connection() -> FailingConnection:
    return FailingConnection()


@pytest.mark.parametrize(
    "statement", ["BEGIN IMMEDIATE", "INSERT INTO resources", "INSERT INTO changes", "UPDATE totals", "COMMIT"]
)
@pytest.mark.parametrize("failure", [(sqlite3.SQLITE_FULL, 19), (sqlite3.SQLITE_IOERR, 14)], ids=["full", "broken"])
def test_an_index_that_cannot_be_written(
    house: House, storage: Storage, connection: FailingConnection, statement: str, failure: tuple[int, int]
) -> None:
    sqlite_code, code = failure
    kept = put(storage, pixels=LARGE)
    before, files = look(storage), house.files()
    connection.code = sqlite_code
    connection.fails = lambda text: text.lstrip().startswith(statement)
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (storage.store, (dicom(patient="Q", pixels=LARGE), ORIGIN)),
        (storage.store_all, ([dicom(patient="Q"), dicom(patient="Q", pixels=LARGE)], ORIGIN)),
    ]
    if statement in ("BEGIN IMMEDIATE", "COMMIT"):
        calls += [(storage.delete, (kept.patient,)), (storage.put_attachment, (kept.study, 1024, LARGE))]
    for call, arguments in calls:
        assert code_of(call, *arguments) == code
    assert look(storage) == before
    assert house.files() == files
    connection.fails = lambda text: False
    assert put(storage, patient="Q").status.value == "Success"
    assert storage.delete(kept.patient) == (True, None)
    assert house.files() == []


def test_a_stable_change_comes_although_the_disk_was_full(
    house: House, storage: Storage, connection: FailingConnection
) -> None:
    stored = put(storage)
    failed = threading.Event()

    def fails(statement: str) -> bool:
        if statement.startswith("UPDATE resources SET stable"):
            failed.set()
            return True
        return False

    connection.fails = fails
    house.clock.advance(60)
    assert failed.wait(10)
    connection.fails = lambda statement: False
    house.clock.advance(1)
    until(lambda: (ChangeType.STABLE_PATIENT, stored.patient) in changes_of(storage))


def test_a_file_left_by_a_crash_is_removed_at_the_next_start(house: House) -> None:
    storage = house.open()
    stored = put(storage, pixels=LARGE)
    kept = house.files()
    house.close()
    orphan = ("01" if kept[0][:2] != "01" else "02") + "23abcd-0000-4000-8000-000000000000"
    path = house.folder / orphan[:2] / orphan[2:4] / orphan
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    (house.folder / "files.journal").write_text(f"{orphan}\n{kept[0]}\n{orphan[:10]}")
    storage = house.open()
    assert house.files() == kept
    assert not path.parent.parent.exists()
    assert storage.read_dicom(stored.instance)
    house.close()
    assert (house.folder / "files.journal").read_text() == ""


def test_the_journal_of_files_stays_small(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.files.journal._LONG", 200)
    monkeypatch.setattr("orthanc_lab.storage.files.journal._TOO_LONG", 400)
    area = FaultyArea(house.folder)
    storage = house.open(area=area)
    for _ in range(10):
        put(storage, pixels=LARGE)
    assert (house.folder / "files.journal").stat().st_size < 200
    area.faults["remove"] = errno.EROFS
    storage.delete(put(storage, pixels=LARGE, patient="stays").patient)
    area.faults.clear()
    for _ in range(30):
        put(storage, pixels=LARGE)
    assert (house.folder / "files.journal").stat().st_size < 500
    house.reopen()
    assert len(house.files()) == 40


class FailingLog(DiskLog):
    """A file that grows on a disk that fails, while a test says so."""

    fault: int | None = None

    def append(self, data: bytes) -> None:
        if self.fault is not None:
            super().append(data[: len(data) // 2])
            raise OSError(self.fault, os.strerror(self.fault))
        super().append(data)

    def sync(self) -> None:
        if self.fault is not None:
            raise OSError(self.fault, os.strerror(self.fault))
        super().sync()


@pytest.mark.parametrize(("fault", "code"), [(errno.ENOSPC, 19), (errno.EIO, 14)])
def test_a_journal_or_log_that_cannot_be_written(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: int, code: int
) -> None:
    storage = house.open(open_log=FailingLog, sync_storage_area=True)
    kept = put(storage, pixels=LARGE)
    before, files = look(storage), house.files()
    monkeypatch.setattr(FailingLog, "fault", fault)
    assert code_of(storage.store, dicom(pixels=LARGE), ORIGIN) == code
    assert code_of(storage.delete, kept.instance) == code
    assert look(storage) == before
    assert house.files() == files
    assert code_of(storage.store, dicom(), ORIGIN) == code  # it cannot be promised to be there after a power cut
    monkeypatch.setattr(FailingLog, "fault", None)
    assert storage.delete(kept.patient) == (True, None)
    assert house.files() == []
    house.close()
    assert (house.folder / "files.journal").read_bytes() == b""


class UnsyncedLog(DiskLog):
    """A file that grows on a disk of which nobody knows what it has written, while a test says so."""

    is_broken = False

    def sync(self) -> None:
        if self.is_broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync()


def test_what_is_committed_keeps_its_files_though_it_cannot_be_promised(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = house.open(open_log=UnsyncedLog, sync_storage_area=True, maximum_cache_size=0)
    files = [dicom(pixels=LARGE), dicom()]
    monkeypatch.setattr(UnsyncedLog, "is_broken", True)
    assert code_of(storage.store_all, files, ORIGIN) == 14
    monkeypatch.setattr(UnsyncedLog, "is_broken", False)
    assert {storage.read_dicom(id) for id in storage.list_ids(Level.INSTANCE)} == set(files)
    again = house.reopen(maximum_cache_size=0)
    assert {again.read_dicom(id) for id in again.list_ids(Level.INSTANCE)} == set(files)


def test_what_goes_wrong_after_a_commit_takes_no_file_away(
    storage: Storage, area: FaultyArea, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, refused = area.remove, []

    def no_memory(name: str) -> None:
        if not refused:
            refused.append(name)
            raise MemoryError
        remove(name)

    first, second = (dicom(instance="7", name=name, pixels=LARGE) for name in ("First", "Second"))
    instance = storage.store(first, ORIGIN).instance
    monkeypatch.setattr(area, "remove", no_memory)
    with pytest.raises(MemoryError):
        storage.store(second, ORIGIN, overwrite=True)
    assert storage.read_dicom(instance) == second


class FullLog(DiskLog):
    """A file that grows on a disk that has no place for another file."""

    def rewrite(self, content: bytes) -> None:
        if self.read():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().rewrite(content)


def test_a_journal_that_cannot_be_shortened_takes_no_file_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.files.journal._TOO_LONG", 1)
    storage = house.open(open_log=FullLog, maximum_cache_size=0)
    first, second = (dicom(instance="7", name=name, pixels=LARGE) for name in ("First", "Second"))
    instance = storage.store(first, ORIGIN).instance
    assert storage.store(second, ORIGIN, overwrite=True).instance == instance
    assert storage.read_dicom(instance) == second
    assert len(house.files()) == 1


class TornLog(DiskLog):
    """A file that grows on a disk that fails in the middle of a name, and cannot even take that back."""

    is_broken = False

    def append(self, data: bytes) -> None:
        if self.is_broken:
            super().append(data[: len(data) // 2])
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().append(data)

    def truncate(self, size: int) -> None:
        if self.is_broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(size)


def test_half_a_name_in_the_journal_spoils_no_other_name(
    house: House, area: FaultyArea, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = house.open(area=area, open_log=TornLog)
    first, second = put(storage, pixels=LARGE), put(storage, pixels=LARGE)
    with monkeypatch.context() as disk:
        disk.setattr(TornLog, "is_broken", True)
        assert code_of(storage.delete, first.instance) == 14
        assert storage.read_dicom(first.instance)
    area.faults["remove"] = errno.EROFS
    storage.delete(second.instance)
    house.reopen()
    assert len(house.files()) == 1


def test_a_journal_that_cannot_be_emptied_at_the_end_does_no_harm(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = house.open(open_log=TornLog)
    stored = put(storage, pixels=LARGE)
    with monkeypatch.context() as disk:
        disk.setattr(TornLog, "is_broken", True)
        house.close()
    assert house.open().read_dicom(stored.instance)
    assert len(house.files()) == 1


def test_a_start_that_fails_leaves_nothing_open(house: House) -> None:
    class Broken(DiskLog):
        def rewrite(self, content: bytes) -> None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        def close(self) -> None:
            super().close()
            closed.append(self)

    closed: list[DiskLog] = []
    assert code_of(lambda: house.open(open_log=Broken)) == 14
    assert len(closed) == 1


@pytest.mark.parametrize("pixels", [b"", LARGE], ids=["small", "large"])
def test_identifiers_that_come_again_after_a_start_take_no_file_away(house: House, pixels: bytes) -> None:
    files = [dicom(pixels=pixels + bytes([number])) for number in range(4)]
    stored = []
    for file in files:
        storage = house.reopen(identifiers=SeededIdentifiers(7))
        stored.append(storage.store(file, ORIGIN).instance)
        assert [storage.read_dicom(id) for id in stored] == files[: len(stored)]
    assert len(house.files()) == (len(files) if pixels else 0)


def test_a_log_that_was_closed_leaves_other_files_alone(tmp_path: Path) -> None:
    log = DiskLog(tmp_path / "files.journal")
    log.close()
    with (tmp_path / "other").open("wb") as other:  # it has the number of the descriptor
        with pytest.raises(OSError, match="Bad file descriptor"):
            log.append(b"late")
        log.close()
        other.write(b"other")
    assert (tmp_path / "other").read_bytes() == b"other"


def test_a_log_that_cannot_be_opened_again_goes_on_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = DiskLog(tmp_path / "files.journal")
    log.append(b"old")
    opened = os.open

    def none_left(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_APPEND:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return opened(path, flags, mode)

    with monkeypatch.context() as descriptors:
        descriptors.setattr(os, "open", none_left)
        with pytest.raises(OSError, match="Too many"):
            log.rewrite(b"new")
    log.append(b", and more")
    assert log.read() == b"old, and more"
    log.close()


def test_a_file_that_could_not_be_removed_is_removed_once_the_disk_works(
    house: House, storage: Storage, area: FaultyArea
) -> None:
    stored = [put(storage, pixels=LARGE) for _ in range(20)]
    area.faults["remove"] = errno.EROFS
    for one in stored:
        storage.delete(one.instance)
    assert len(house.files()) == 20
    area.faults.clear()
    for kept in range(1, 4):
        put(storage, pixels=LARGE)
        assert len(house.files()) == kept + max(0, 20 - 8 * kept)


def test_a_disk_that_is_full_at_the_start_leaves_the_index_free(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        assert code_of(house.open) == 19
    assert put(house.open()).instance


class SharedDeque(deque[str]):
    """Another thread takes one after each look how many there are."""

    def __len__(self) -> int:
        return super().__len__() + bool(super().__len__())


def test_a_file_that_could_not_be_removed_is_not_forgotten_when_two_threads_try_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orthanc_lab.storage.files.removal.deque", SharedDeque)
    area = FaultyArea(house.folder)
    storage = house.open(area=area)
    stored = put(storage, pixels=LARGE)
    area.faults["remove"] = errno.EROFS
    storage.delete(stored.patient)
    assert len(house.files()) == 1
    area.faults.clear()
    storage.delete(put(storage, pixels=LARGE, patient="Q").patient)
    assert house.files() == []
