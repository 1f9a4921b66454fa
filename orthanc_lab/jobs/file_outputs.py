"""The outputs of jobs as files in one folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.protocol.private_files import FILE_MODE, is_private_folder, make_private_folder

__all__ = ["FileOutputs"]

_PREFIX = "job-"
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)


class FileOutputs:
    """A folder of outputs; it is made with the first one.

    Parameters
    ----------
    folder
        A folder of one jobs engine alone.
    shared
        Whether it is inside a folder in which other users can write too. Then it is used only if it is this user's.
    """

    def __init__(self, folder: Path, identifiers: Identifiers, *, shared: bool = False) -> None:
        self._shared = shared
        self._folder = folder
        self._place = os.fspath(folder)
        self._identifiers = identifiers
        self._folder_checked = False

    @property
    def grain(self) -> int:
        """0: a file takes any bytes as well as many."""
        return 0

    def new_name(self, suffix: str) -> str:
        """Return the name of a file that does not exist yet."""
        self._make_folder()
        if not os.access(self._place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, f"no access to {self._folder.name}")
        while True:
            name = f"{_PREFIX}{self._identifiers.uuid()}{suffix}"
            if not os.path.exists(f"{self._place}/{name}"):  # noqa: PTH110 # a third of the time of Path.exists
                return name

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        """Open a file and cut it back to `offset` bytes, or to none if it is shorter."""
        self._make_folder()
        descriptor = os.open(self._path(name), os.O_RDWR | os.O_CREAT | _NO_LINKS, FILE_MODE)
        try:
            size = os.fstat(descriptor).st_size
            start = offset if size >= offset else 0
            if size != start:
                os.ftruncate(descriptor, start)
            os.lseek(descriptor, start, os.SEEK_SET)
        except OSError:
            os.close(descriptor)
            raise
        return _FileWriter(descriptor), start

    def open(self, name: str) -> BinaryIO:
        """Open a file to read it, without a buffer."""
        return self._path(name).open("rb", buffering=0)

    def take(self, name: str) -> BinaryIO:
        """Open a file and remove its name."""
        file = self.open(name)
        try:
            self.remove(name)
        except BaseException:
            file.close()
            raise
        return file

    def size(self, name: str) -> int | None:
        """Return the size of a file."""
        path = self._path(name)
        return path.stat().st_size if path.is_file() else None

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Sequence[str]:
        """Return the names of all outputs in the folder."""
        return [path.name for path in self._folder.glob(f"{_PREFIX}*")] if self._is_usable() else []

    def _path(self, name: str) -> Path:
        self._check_folder()
        return self._folder / name

    def _make_folder(self) -> None:
        if not self._folder_checked:
            make_private_folder(self._folder)
        self._check_folder()

    def _check_folder(self) -> None:
        """Refuse a folder that another user may have put there to read what is written, or to have it overwritten."""
        if not self._folder_checked and os.path.lexists(self._folder):
            if not self._is_usable():
                raise PermissionError(errno.EACCES, f"{self._folder.name} is not a folder of this user alone")
            self._folder_checked = True

    def _is_usable(self) -> bool:
        return is_private_folder(self._folder) if self._shared else self._folder.is_dir()


class _FileWriter:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def close(self) -> None:
        os.close(self._descriptor)
