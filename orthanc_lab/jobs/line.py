"""The jobs that wait for a worker: the highest priority first, then in order of arrival."""

from __future__ import annotations

import heapq
from itertools import count

from orthanc_lab.jobs.entry import Entry

__all__ = ["Line"]


class Line:
    """A priority queue; the caller holds a lock."""

    def __init__(self) -> None:
        self._numbers = count()
        self._heap: list[tuple[int, int, Entry]] = []

    def join(self, entry: Entry) -> None:
        """Put a job at the end of those of its priority."""
        entry.ticket = next(self._numbers)
        heapq.heappush(self._heap, (-entry.priority, entry.ticket, entry))

    def leave(self, entry: Entry) -> None:
        """Take a job out; nothing happens if it does not wait."""
        entry.ticket = None  # its place in the heap is passed over later

    def pop(self) -> Entry | None:
        """Return the job whose turn it is, None if nobody waits."""
        while self._heap:
            _, number, entry = heapq.heappop(self._heap)
            if entry.ticket == number:
                entry.ticket = None
                return entry
        return None
