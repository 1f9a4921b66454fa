"""Files that grow at their end, as the storage uses them: a port, so that a test can make them fail."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from orthanc_lab.protocol.private_files import FILE_MODE, write_private_file

__all__ = ["DiskLog", "LogFile", "OpenLog"]

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class LogFile(Protocol):
    """A file that is appended to. All failures are OSError."""

    def read(self) -> bytes:
        """Return the whole content."""
        ...

    def append(self, data: bytes) -> None:
        """Write at the end, all of `data` or (on an error) perhaps the start of it."""
        ...

    def truncate(self, size: int) -> None:
        """Cut off what is beyond `size` bytes."""
        ...

    def rewrite(self, content: bytes) -> None:
        """Replace the whole content; a crash leaves the old one or the new one."""
        ...

    def sync(self) -> None:
        """Wait until the content is on the disk, whoever wrote it."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


OpenLog = Callable[[Path], LogFile]
"""Opens a file that grows, or makes an empty one."""


class DiskLog:
    """A file of the file system.

    Parameters
    ----------
    path
        The file; it is made, if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _open(path)

    def read(self) -> bytes:
        """Return the whole content."""
        return self._path.read_bytes()

    def append(self, data: bytes) -> None:
        """Write at the end, all of `data` or (on an error) perhaps the start of it."""
        if os.write(self._descriptor, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def truncate(self, size: int) -> None:
        """Cut off what is beyond `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def rewrite(self, content: bytes) -> None:
        """Replace the whole content; a crash leaves the old one or the new one."""
        fresh = self._path.with_suffix(".new")
        write_private_file(fresh, content)
        descriptor = _open(fresh)  # before it takes the name: a failure leaves the old one in use
        try:
            fresh.replace(self._path)
        except BaseException:
            os.close(descriptor)
            raise
        old, self._descriptor = self._descriptor, descriptor
        os.close(old)

    def sync(self) -> None:
        """Wait until the content is on the disk, whoever wrote it."""
        _sync(self._descriptor)

    def close(self) -> None:
        """Close the file; whoever still writes gets an error, and a second time does no harm."""
        descriptor, self._descriptor = self._descriptor, -1  # the number may be that of another file from now on
        if descriptor >= 0:
            os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
