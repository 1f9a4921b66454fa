"""Files that nothing refers to any more, on their way out."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence

from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.storage.files.area import AreaError, FileArea
from orthanc_lab.storage.files.journal import FileJournal

__all__ = ["FileRemoval"]

_AT_ONCE = 4
_MANY = 16  # files that several threads remove: much of it is waiting for the file system
_MOST_LEFT, _LEFT_AT_ONCE = 10_000, 8


class FileRemoval:
    """Removes files; those that cannot be removed now are removed later."""

    def __init__(
        self, area: FileArea, journal: FileJournal, *, clock: Clock, executor: Executor, metrics: Metrics
    ) -> None:
        self._area = area
        self._journal = journal
        self._now = clock.monotonic
        self._metrics = metrics
        self._pool = executor.pool("storage-removal", _AT_ONCE)
        self._left: deque[str] = deque(maxlen=_MOST_LEFT)  # names of files that could not be removed

    def remove(self, names: Sequence[str]) -> None:
        """Remove files whose names are in the journal."""
        if self._remove_all(names):
            self.try_again()

    def try_again(self) -> None:
        """Remove some of the files that could not be removed, now that the area works."""
        if self._left:
            names: list[str] = []
            with contextlib.suppress(IndexError):  # other threads may take some, too
                while len(names) < _LEFT_AT_ONCE:
                    names.append(self._left.popleft())
            self._remove_all(names)

    def close(self) -> None:
        """End the work on threads."""
        self._pool.shutdown()

    def _remove_all(self, names: Sequence[str]) -> bool:
        """Remove files; whether at least one could be removed."""
        if len(names) < _MANY:
            gone = self._removed(names)
        else:
            parts = [self._pool.submit(self._removed, names[first::_AT_ONCE]) for first in range(_AT_ONCE)]
            gone = [name for part in parts for name in part.result()]
        self._journal.settle(gone)
        return bool(gone)

    def _removed(self, names: Sequence[str]) -> list[str]:
        """Remove files; return those that are gone. Those that cannot be removed now are left for later."""
        gone: list[str] = []
        for number, name in enumerate(names):
            start = self._now()
            try:
                self._area.remove(name)
            except AreaError as error:
                if error.is_away:  # each of them would wait for it
                    self._left.extend(names[number:])
                    return gone
                self._left.append(name)
                continue
            except OSError:
                self._left.append(name)
                continue
            gone.append(name)
            self._metrics.record("orthanc_storage_remove_duration_ms", int((self._now() - start) * 1000))
        return gone
