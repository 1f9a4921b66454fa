"""Buckets on their way into the storage: a file to which each is appended, and from which instances are read."""

from __future__ import annotations

import errno
import logging
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["BucketFiles", "BucketLog"]

_log = logging.getLogger("orthanc_lab")
_HEAD = struct.Struct(">QQ")  # number and length of what follows
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Writer(Protocol):
    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class BucketFiles(Protocol):
    """Files that grow, by name; the output stores of jobs are such."""

    def new_name(self, suffix: str) -> str:
        """Return a name that no file has."""
        ...

    def append(self, name: str, offset: int) -> tuple[_Writer, int]:
        """Go on behind the first `offset` bytes of a file, which is made if it is missing."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file to read it from any place."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all files."""
        ...


class BucketLog:
    """A file of numbered records. After a crash it has all those that were acknowledged; thread-safe.

    A record that comes again takes the place of the first one.

    Raises
    ------
    OrthancError
        19 or 14 if the file cannot be made or read.
    """

    def __init__(self, files: BucketFiles, name: str) -> None:
        self.name = name
        self._files = files
        self._lock = threading.Lock()
        self._closed = False
        self._places: dict[int, tuple[int, int]] = {}  # number -> position and length of what was recorded
        self._writer: _Writer | None = None
        try:
            self._end = self._scan()
            self._writer, _ = files.append(name, self._end)
            self._reader = files.open(name)
        except OSError as error:
            self._close_writer()
            raise _failure(error) from error

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._end

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers of the records, in the order in which they came last."""
        return iter(tuple(self._places))

    def add(self, number: int, content: bytes) -> None:
        """Append a record; when this returns it survives a killed process.

        Raises
        ------
        OrthancError
            17 if it was closed meanwhile, 19 if the disk is full, 14 if it cannot be written for another reason.
        """
        with self._lock:
            self._check_open()
            try:
                if self._writer is None:  # a record was written by half: it is cut off
                    self._writer, _ = self._files.append(self.name, self._end)
                self._writer.write(_HEAD.pack(number, len(content)))
                self._writer.write(content)
            except OSError as error:
                self._close_writer()
                raise _failure(error) from error
            self._places.pop(number, None)
            self._places[number] = (self._end + _HEAD.size, len(content))
            self._end += _HEAD.size + len(content)

    def read(self, number: int, offset: int = 0, size: int | None = None) -> bytes:
        """Return a record that is there, or a part of it.

        Raises
        ------
        OrthancError
            17 if it was closed meanwhile, 14 if it cannot be read.
        """
        with self._lock:
            self._check_open()
            start, length = self._places[number]
            try:
                self._reader.seek(start + offset)
                return self._reader.read(length - offset if size is None else size)
            except OSError as error:
                raise _failure(error) from error

    def close(self) -> None:
        """Stop for now."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._close_writer()
                self._reader.close()

    def remove(self) -> None:
        """Stop for good; a file that cannot be removed is one of the last run after the next start."""
        self.close()
        try:
            self._files.remove(self.name)
        except OSError as error:
            _log.warning("Cannot remove the file %s of a transfer: %s", self.name, error.strerror or error)

    def _check_open(self) -> None:
        if self._closed:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _scan(self) -> int:
        """Find the records of a file that is there; return where the last whole one ends."""
        try:
            file = self._files.open(self.name)
        except FileNotFoundError:
            return 0
        with file:
            size = file.seek(0, 2)
            position = 0
            while position + _HEAD.size <= size:
                file.seek(position)
                number, length = _HEAD.unpack(file.read(_HEAD.size))
                if position + _HEAD.size + length > size:
                    break
                self._places.pop(number, None)
                self._places[number] = (position + _HEAD.size, length)
                position += _HEAD.size + length
        return position


def _failure(error: OSError) -> OrthancError:
    if error.errno in _NO_SPACE:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left for the transfer")
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the transfer: {error.strerror or error}")
