"""The workers of a server that wait for a job to claim."""

from __future__ import annotations

import threading

from orthanc_lab.jobs.ready_queue import Wake

__all__ = ["IdleWorkers"]


class IdleWorkers:
    """Those that found nothing to claim. A worker rests before it looks, so that no news comes in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resting: list[Wake] = []

    @property
    def has_some(self) -> bool:
        """Whether a worker waits for a job."""
        return bool(self._resting)

    def rest(self, worker: Wake) -> None:
        """Let a worker be woken."""
        with self._lock:
            if worker not in self._resting:
                self._resting.append(worker)

    def rise(self, worker: Wake) -> None:
        """Take note that a worker has something to do."""
        with self._lock:
            if worker in self._resting:
                self._resting.remove(worker)

    def wake_one(self) -> bool:
        """Let one worker look for a job; False if all are busy."""
        with self._lock:
            wake = self._resting.pop() if self._resting else None
        if wake is None:
            return False
        wake()
        return True

    def wake_all(self) -> None:
        """Let all of them look for jobs."""
        while self.wake_one():
            pass
