"""One owner of an index at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.private_files import FILE_MODE

__all__ = ["Lock", "lock_folder", "no_lock"]

Lock = Callable[[Path], Callable[[], None]]
"""Makes the caller the owner of a folder; returns what gives it up."""


def lock_folder(folder: Path) -> Callable[[], None]:
    """Lock a folder; the operating system frees it when its process ends, however it ends.

    Raises
    ------
    OrthancError
        11 if another process (or another storage of this one) owns the folder.
    """
    import fcntl  # noqa: PLC0415 - there are platforms without it

    descriptor = os.open(folder / "index.lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise OrthancError(
                ErrorCode.DATABASE, f"The index in {folder} is already in use by another server (process {owner})"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return lambda: os.close(descriptor)


def no_lock(folder: Path) -> Callable[[], None]:
    """Lock nothing: for a folder that no other process knows, or a platform without `fcntl`."""
    return lambda: None
