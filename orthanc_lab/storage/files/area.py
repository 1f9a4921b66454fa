"""Where files are: a port, so that they can be on a disk, in a bucket or in a database, and a test can make it fail."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol

from orthanc_lab.protocol.private_files import FILE_MODE, make_private_folder
from orthanc_lab.storage.files.direct_write import DirectWriter

__all__ = ["AreaError", "DiskArea", "FileArea"]


class AreaError(OSError):
    """The place of the files cannot be reached, or refuses what it is asked to do.

    Parameters
    ----------
    words
        What happened, without anything secret.
    is_away
        It may go well later, by itself. Then the outcome of a write is unknown.
    """

    def __init__(self, words: str, *, is_away: bool) -> None:
        super().__init__(words)
        self.is_away = is_away


_TRIES = 100  # at a folder that others remove again


class FileArea(Protocol):
    """Files whose names are UUIDs, with or without an extension (`names`). All failures are OSError."""

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file; `sync` waits until it is on the disk. A failed write leaves nothing behind.

        Raises
        ------
        FileExistsError
            If there is one already.
        AreaError
            If the place of the files is away; then the file may appear all the same.
        """
        ...

    def sync(self, name: str) -> None:
        """Wait until a file is on the disk."""
        ...

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return the content of a file from `offset` on, or `size` bytes of it, less at its end.

        Raises
        ------
        FileNotFoundError
            If there is none.
        AreaError
            If the place of the files is away.
        """
        ...

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        ...


def _create(path: str) -> int:
    for _ in range(_TRIES):
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        except FileNotFoundError:
            # Another thread may be removing the folder with its last file at the same time.
            with contextlib.suppress(FileExistsError):
                make_private_folder(path[:-37])
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]


class DiskArea:
    """Files in two levels of folders, ``ab/cd/abcd….``, as Orthanc lays them out: their extensions are left out.

    Parameters
    ----------
    folder
        The storage area.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._direct = DirectWriter()

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file; `sync` waits until it is on the disk. A failed write leaves nothing behind."""
        descriptor = _create(self.path(name))
        try:
            start = self._direct.write(descriptor, data) if sync else 0
            _write(descriptor, memoryview(data)[start:])
            if sync:
                os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            self.remove(name)
            raise
        os.close(descriptor)

    def sync(self, name: str) -> None:
        """Wait until a file is on the disk."""
        descriptor = os.open(self.path(name), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return the content of a file from `offset` on, or `size` bytes of it."""
        with open(self.path(name), "rb", buffering=0) as file:  # noqa: PTH123 # hot path
            if offset:
                file.seek(offset)
            return file.read(-1 if size is None else size)

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        path = self.path(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 # hot path
        with contextlib.suppress(OSError):  # the folders are removed with their last file
            os.rmdir(path[:-37])  # noqa: PTH106
            os.rmdir(path[:-40])  # noqa: PTH106

    def path(self, name: str) -> str:
        """Return where a file is."""
        return f"{self._folder}/{name[:2]}/{name[2:4]}/{name[:36]}"
