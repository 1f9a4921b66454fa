"""The jobs that wait for a worker: the highest priority first, then in order of arrival."""

from __future__ import annotations

import heapq
from itertools import count

from orthanc_lab.jobs.entry import Entry

__all__ = ["ReadyQueue"]


class ReadyQueue:
    """A priority queue; the caller holds a lock.

    A job that is paused or canceled meanwhile stays in its place: whoever takes it out
    finds that it does not wait any more.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._heap: list[tuple[int, int, Entry]] = []

    def __bool__(self) -> bool:
        return bool(self._heap)

    def join(self, entry: Entry) -> None:
        """Put a job at the end of those of its priority."""
        entry.ticket = next(self._numbers)
        heapq.heappush(self._heap, (-entry.priority, entry.ticket, entry))

    def pop(self) -> Entry | None:
        """Return the job whose turn it is, None if nobody waits."""
        while self._heap:
            _, number, entry = heapq.heappop(self._heap)
            if entry.ticket == number:
                entry.ticket = None
                return entry
        return None
