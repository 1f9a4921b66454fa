"""The faults of the disk: around the file area, the outputs of jobs, the index, the list of jobs and what is read."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.storage.records import Attachment
from orthanc_lab.testing.faults.fault import Fault
from orthanc_lab.testing.faults.part import FaultyPart
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyArea", "FaultyConnection", "FaultyOutputs", "FaultyStorage", "connecting"]

_WRITING = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE")
_GROWING = ("INSERT", "UPDATE")
_FORGOTTEN = "DELETE FROM jobs WHERE type IN ('Archive', 'Media')"
_HAS_JOBS = "SELECT count(*) FROM sqlite_master WHERE name = 'jobs'"


def _check(faults: FaultSwitches, size: int, what: str) -> None:
    """Refuse a write as the disk would.

    Raises
    ------
    OSError
        If the disk can take nothing, or no `size` further bytes.
    """
    if faults.happens("read-only disk", what):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if _is_full(faults, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_full(faults: FaultSwitches, size: int) -> bool:
    return any(fault.is_beyond(size) for fault in faults.named("disk full at a byte"))


class FaultyArea(FaultyPart):
    """Files on a disk with the faults that are in force."""

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file, if the disk takes it."""
        _check(self._faults, len(data), "file")
        self._plain.write(name, data, sync=sync)


class FaultyOutputs(FaultyPart):
    """The outputs of jobs on a disk with the faults that are in force."""

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        """Go on with an output, as far as the disk takes it."""
        _check(self._faults, 0, "output")
        writer: OutputWriter
        writer, start = self._plain.append(name, offset)
        self._faults.tell(writer, _FaultyWriter(writer, self._faults))
        return writer, start


class _FaultyWriter(FaultyPart):
    def write(self, data: bytes) -> None:
        _check(self._faults, len(data), "output")
        self._plain.write(data)


def connecting(
    connect: Callable[[Path], sqlite3.Connection], what: str, faults: FaultSwitches
) -> Callable[[Path], sqlite3.Connection]:
    """Return what opens a database on a disk with the faults that are in force."""

    def open_one(path: Path) -> Any:
        connection = connect(path)
        forgets = what == "jobs" and any(fault.is_held for fault in faults.named("restart that forgets"))
        if forgets and connection.execute(_HAS_JOBS).fetchone()[0]:
            connection.execute(_FORGOTTEN)
        changeable = _Changeable(connection)
        faults.tell(changeable, FaultyConnection(changeable, what, faults))
        return changeable

    return open_one


class _Changeable:
    """A connection that takes other methods; one of `sqlite3` does not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for name in dir(connection):  # so that a look-up seldom takes `__getattr__`
            if not name.startswith("_") and callable(method := getattr(connection, name)):
                self.__dict__[name] = method

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class FaultyConnection(FaultyPart):
    """A connection to a database on a disk with the faults that are in force."""

    def __init__(self, connection: _Changeable, what: str, faults: FaultSwitches) -> None:
        super().__init__(connection, faults)
        self._what = what

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        """Execute a statement, if the disk and the locks let it."""
        self._check(statement, parameters)
        cursor: sqlite3.Cursor = self._plain.execute(statement, *parameters)
        return cursor

    def executemany(self, statement: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """Execute a statement many times, if the disk and the locks let it."""
        self._check(statement, parameters := list(parameters))
        cursor: sqlite3.Cursor = self._plain.executemany(statement, parameters)
        return cursor

    def _check(self, statement: str, parameters: Iterable[Any]) -> None:
        beginning = statement.lstrip()[:15].upper()
        if not beginning.startswith(_WRITING):
            return
        begins = beginning.startswith("BEGIN") or not self._plain.in_transaction
        if begins and self._faults.happens("read-only disk", self._what):
            raise _error("attempt to write a readonly database", sqlite3.SQLITE_READONLY)
        if begins and self._what == "index" and self._faults.happens("index locked", self._what):
            raise _error("database is locked", sqlite3.SQLITE_BUSY)
        if beginning.startswith(_GROWING) and _is_full(self._faults, _size(parameters)):
            raise _error("database or disk is full", sqlite3.SQLITE_FULL)


def _error(words: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return error


def _size(parameters: Iterable[Any]) -> int:
    """Return about how many bytes a statement writes."""
    size = 0
    for one in parameters:
        values = one if isinstance(one, (tuple, list)) else (one,)
        size += sum(len(value) if isinstance(value, (str, bytes, memoryview)) else 8 for value in values)
    return size


class FaultyStorage(FaultyPart):
    """A storage in which an instance is read wrong, if that is in force."""

    def read_dicom(self, instance: str, *, keep: bool = True, known: Attachment | None = None) -> bytes:
        """Return a DICOM file."""
        return self._damaged(self._plain.read_dicom(instance, keep=keep, known=known), instance)

    def read_dicom_part(self, instance: str, offset: int, size: int) -> bytes:
        """Return a part of a DICOM file."""
        part: bytes = self._plain.read_dicom_part(instance, offset, size)
        fault = self._faults.happens("corrupted attachment", instance)
        if fault is None:
            return part
        whole = len(self._plain.read_dicom(instance, keep=False))
        return _with_a_wrong_byte(part, _place(fault, whole) - offset)

    def read_attachment(self, attachment: Attachment, *, of: str, raw: bool = False, fresh: bool = False) -> bytes:
        """Return an attachment."""
        return self._damaged(self._plain.read_attachment(attachment, of=of, raw=raw, fresh=fresh), attachment.uuid)

    def _damaged(self, data: bytes, occasion: str) -> bytes:
        fault = self._faults.happens("corrupted attachment", occasion)
        return data if fault is None else _with_a_wrong_byte(data, _place(fault, len(data)))


def _place(fault: Fault, size: int) -> int:
    at = fault.trigger.at_byte
    return size * 3 // 4 if at is None else at


def _with_a_wrong_byte(data: bytes, place: int) -> bytes:
    if not 0 <= place < len(data):
        return data
    return b"".join((data[:place], bytes([data[place] ^ 0xFF]), data[place + 1 :]))
