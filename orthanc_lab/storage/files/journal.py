"""The names of the files that are about to appear or to vanish.

A name is written here before its file is created, and before the commit that makes a file
superfluous. So whatever the moment of a crash, a file that nothing refers to has its name
in the journal, and the next start removes it without looking through the storage area.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

__all__ = ["FileJournal"]

_LARGEST = 1 << 16


class FileJournal:
    """An append-only list of names on disk, cut back when it grows.

    Parameters
    ----------
    path
        The file; what an earlier process left in it is in `leftovers`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open: dict[str, None] = {}
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        names = path.read_text("ascii", "replace").splitlines()
        self.leftovers: tuple[str, ...] = tuple(dict.fromkeys(name for name in names if len(name) == 36))
        self._open.update(dict.fromkeys(self.leftovers))
        self._size = _LARGEST  # so that it is rewritten once the leftovers are settled

    def note(self, names: Iterable[str]) -> None:
        """Write names down, before anything happens to their files."""
        lines = "".join(f"{name}\n" for name in names)
        with self._lock:
            os.write(self._descriptor, lines.encode("ascii"))
            self._size += len(lines)
            self._open.update(dict.fromkeys(lines.split()))

    def settle(self, names: Iterable[str]) -> None:
        """Forget names: their files belong to the index, or are gone."""
        with self._lock:
            for name in names:
                self._open.pop(name, None)
            if self._size >= _LARGEST and not self._open:
                os.ftruncate(self._descriptor, 0)
                self._size = 0

    def close(self) -> None:
        """Close the file; it stays empty unless something is left to do."""
        with self._lock:
            if not self._open:
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
