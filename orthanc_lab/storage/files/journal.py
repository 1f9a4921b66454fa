"""The names of the files that are about to appear or to vanish.

A name is written here before its file is created, and before the commit that makes a file
superfluous. So whatever the moment of a crash, a file that nothing refers to has its name
in the journal, and the next start removes it without looking through the storage area.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from pathlib import Path

__all__ = ["FileJournal"]

_LONG = 1 << 16  # bytes; a longer journal is emptied when nothing is open
_TOO_LONG = 1 << 20  # bytes; a longer one is rewritten with what is open
_UUID_LENGTH = 36


class FileJournal:
    """An append-only list of names on disk, cut back when it grows.

    Parameters
    ----------
    path
        The file; what an earlier process left in it is in `leftovers`.

    Raises
    ------
    OSError
        If it cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        names = path.read_text("ascii", "replace").split("\n") if path.exists() else []
        # A crash may have cut off the last name; its file was not created yet.
        self.leftovers: tuple[str, ...] = tuple(dict.fromkeys(name for name in names if len(name) == _UUID_LENGTH))
        self._open: dict[str, None] = dict.fromkeys(self.leftovers)
        self._size = 0
        self._descriptor = self._rewritten()

    def note(self, names: Iterable[str]) -> None:
        """Write names down, before anything happens to their files.

        Raises
        ------
        OSError
            If they cannot be written; then none is.
        """
        entry = "".join([f"{name}\n" for name in names])
        with self._lock:
            try:
                if os.write(self._descriptor, entry.encode("ascii")) < len(entry):
                    raise OSError(errno.ENOSPC, "No space left for the journal of files")
            except OSError:
                os.ftruncate(self._descriptor, self._size)
                raise
            self._size += len(entry)
            self._open.update(dict.fromkeys(entry.split()))

    def settle(self, names: Iterable[str]) -> None:
        """Forget names: their files belong to the index, or are gone."""
        with self._lock:
            for name in names:
                self._open.pop(name, None)
            if self._size >= _TOO_LONG and self._open:
                old, self._descriptor = self._descriptor, self._rewritten()
                os.close(old)
            elif self._size >= _LONG and not self._open:
                os.ftruncate(self._descriptor, 0)
                self._size = 0

    def close(self) -> None:
        """Close the file; it stays empty unless something is left to do."""
        with self._lock:
            if not self._open:
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)

    def _rewritten(self) -> int:
        """Write what is open into a new file, put it in the place of the old one and open it."""
        content = "".join(f"{name}\n" for name in self._open)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(content, "ascii")
        fresh.replace(self._path)
        self._size = len(content)
        self._size = len(content)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND)
