"""One owner of an index at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["IndexLock"]


class IndexLock:
    """A lock on a folder; the operating system frees it when its process ends, however it ends.

    Raises
    ------
    OrthancError
        11 if another process (or another storage of this one) owns the folder.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "index.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise OrthancError(
                ErrorCode.DATABASE, f"The index in {folder} is already in use by another server (process {owner})"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        """Let somebody else own the folder."""
        os.close(self._descriptor)
