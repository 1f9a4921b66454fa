"""Waiting for the disk after a commit, outside the commit.

SQLite would wait inside each commit (``synchronous = FULL``), and nobody could write meanwhile.
Here commits only reach the operating system (``NORMAL``: they survive the end of the process), and
who must survive a power cut waits for the log to be on the disk; one wait serves all who came
before it began. SQLite itself syncs the log before it moves it into the index.
"""

from __future__ import annotations

import os
import threading
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
        self._changed = threading.Condition()
        self._begun = 0
        self._done = 0
        self._busy = False

    def wait(self) -> None:
        """Return when all that is committed now is on the disk.

        Raises
        ------
        OSError
            If the disk fails.
        """
        with self._changed:
            mine = self._begun + 1  # one that begins from now on
            while self._busy and self._done < mine:
                self._changed.wait()
            if self._done >= mine:
                return
            self._begun += 1
            self._busy = True
        synced = False
        try:
            os.fdatasync(self._descriptor)
            synced = True
        finally:
            with self._changed:
                self._busy = False
                if synced:
                    self._done = self._begun
                self._changed.notify_all()

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
