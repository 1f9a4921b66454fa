"""The writer: groups share a commit and a wait for the disk, and nobody is answered before both."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.storage.files.log_file import DiskLog
from orthanc_lab.storage.sqlite.connections import open_writer
from orthanc_lab.storage.sqlite.transaction import SqliteTransaction
from orthanc_lab.storage.sqlite.writer import Writer
from tests.waiting import until


class Log(DiskLog):
    """A log on a disk that is as slow, or as broken, as a test says."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.waits = 0
        self.error: OSError | None = None
        self.may_end = threading.Event()
        self.may_end.set()

    def sync(self) -> None:
        self.waits += 1
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        super().sync()


class House:
    def __init__(self, folder: Path) -> None:
        self._connection = connection = open_writer(folder / "index.sqlite")
        self.log = Log(folder / "index.sqlite-wal")
        self.writer = Writer(connection, self.log)
        self.answers: list[str] = []

    def upload(self, name: str) -> None:
        self.writer.run(lambda transaction: _add(transaction, name, durable=True))
        self.answers.append(name)

    def names(self) -> list[str]:
        return [name for (name,) in self._connection.execute("SELECT name FROM properties ORDER BY name")]

    def in_thread(self, name: str) -> threading.Thread:
        thread = threading.Thread(target=self.upload, args=(name,))
        thread.start()
        return thread


def _add(transaction: SqliteTransaction, name: str, *, durable: bool) -> None:
    transaction.set_property(name, "")
    transaction.awaits_disk = durable


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.log.error = None
    house.writer.close()


def code_of(action: Callable[[], object]) -> int:
    with pytest.raises(OrthancError) as refused:
        action()
    return refused.value.code


def test_nobody_is_answered_before_the_disk(house: House) -> None:
    house.log.may_end.clear()
    thread = house.in_thread("a")
    until(lambda: house.log.waits == 1)
    assert house.answers == []
    house.log.may_end.set()
    thread.join()
    assert house.answers == ["a"]


def test_those_who_come_during_a_wait_share_the_next(house: House) -> None:
    house.log.may_end.clear()
    first = house.in_thread("0")
    until(lambda: house.log.waits == 1)
    others = [house.in_thread(str(number)) for number in range(1, 6)]
    until(lambda: house.writer.waiting == 5)
    house.log.may_end.set()
    for thread in (first, *others):
        thread.join()
    assert sorted(house.answers) == list("012345")
    assert house.log.waits == 2


def test_one_failure_does_not_harm_those_who_share_its_commit(house: House) -> None:
    def fail(transaction: SqliteTransaction) -> None:
        _add(transaction, "never", durable=True)
        raise OrthancError(3, "mine")

    problems: list[int] = []
    house.log.may_end.clear()
    threads = [house.in_thread("0")]
    until(lambda: house.log.waits == 1)
    threads.append(house.in_thread("1"))
    until(lambda: house.writer.waiting == 1)
    threads.append(threading.Thread(target=lambda: problems.append(code_of(lambda: house.writer.run(fail)))))
    threads[-1].start()
    until(lambda: house.writer.waiting == 2)
    threads.append(house.in_thread("2"))
    until(lambda: house.writer.waiting == 3)
    house.log.may_end.set()
    for thread in threads:
        thread.join()
    assert problems == [3]
    assert house.answers[0] == "0"
    assert house.names() == ["0", "1", "2"]


def test_what_needs_no_disk_waits_for_none(house: House) -> None:
    house.writer.run(lambda transaction: _add(transaction, "a", durable=False))
    assert house.log.waits == 0


@pytest.mark.parametrize(("fault", "code"), [(errno.EIO, 14), (errno.ENOSPC, 19)])
def test_a_disk_that_fails(house: House, fault: int, code: int) -> None:
    house.log.error = OSError(fault, "a fault")
    assert code_of(lambda: house.upload("a")) == code
    house.writer.run(lambda transaction: _add(transaction, "b", durable=False))
    house.log.error = None
    house.upload("c")
    assert house.answers == ["c"]
