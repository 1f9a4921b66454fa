"""Waiting for the disk after a commit.

SQLite would wait inside each commit (``synchronous = FULL``), also for those that nobody needs on the disk.
Here commits only reach the operating system (``NORMAL``: they survive the end of the process), and the writer
waits for the log where an answer must survive a power cut. SQLite itself syncs the log before it moves it
into the index.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["WalSync"]


class WalSync:
    """Syncs the write-ahead log of an index.

    Parameters
    ----------
    index
        The index; it must be open, in WAL mode.
    """

    def __init__(self, index: Path) -> None:
        # SQLite holds no locks on this file (they are on the index and its -shm), so none is lost by closing it.
        self._descriptor = os.open(f"{index}-wal", os.O_RDONLY | os.O_CREAT, 0o644)

    def wait(self) -> None:
        """Return when all that is committed is on the disk.

        Raises
        ------
        OSError
            If the disk fails.
        """
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
