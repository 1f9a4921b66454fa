"""The jobs that wait for a worker, and the workers that wait for a job."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from itertools import count

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.protocol.execution import Pace
from orthanc_lab.protocol.jobs import JobState

__all__ = ["ReadyQueue", "Wake"]

Wake = Callable[[], None]
"""Lets a worker look for a job; a worker is known by it."""


class ReadyQueue:
    """The highest priority goes first, then the order of arrival.

    A job that is paused or canceled meanwhile stays in its place: whoever takes it out
    finds that it does not wait any more.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lock = threading.Lock()  # guards all below
        self._numbers = count()
        self._heap: list[tuple[int, int, Entry]] = []
        self._idle: list[Wake] = []

    def submit(self, entry: Entry) -> None:
        """Let a new job wait; during a burst of submissions the workers come a moment later."""
        with self._lock:
            self._push(entry)
            wake = self._idle_worker() if self._pace.arrive(awaited=entry.ended is not None) else None
        if wake is not None:
            wake()

    def join(self, entry: Entry) -> None:
        """Let a job wait again."""
        with self._lock:
            self._push(entry)
            wake = self._idle_worker()
        if wake is not None:
            wake()

    def take(self, worker: Wake) -> Entry | None:
        """Return the job whose turn it is; None if there is none: then the worker is woken for the next one."""
        if not self._pace.hold_back():
            with self._lock:
                self._rest(worker)
            # The one that is held back may have gone on before it could see that this one rests.
            if not self._pace.hold_back():
                return None
        with self._lock:
            entry = self._pop()
            if entry is None:
                self._pace.drained()
                self._rest(worker)
                return None
            if worker in self._idle:
                self._idle.remove(worker)
            wake = self._idle_worker() if self._heap else None
        if wake is not None:
            wake()
        return entry

    def ahead(self, entry: Entry) -> int | None:
        """Return how many jobs are taken before this one; None if it does not wait for a worker."""
        with self._lock:
            place = entry.ticket
            if place is None or not _waits(entry):
                return None
            key = (-entry.priority, place)
            return sum(
                (priority, number) < key and other.ticket == number and _waits(other)
                for priority, number, other in self._heap
            )

    def _push(self, entry: Entry) -> None:
        entry.ticket = next(self._numbers)
        heapq.heappush(self._heap, (-entry.priority, entry.ticket, entry))

    def _pop(self) -> Entry | None:
        while self._heap:
            _, number, entry = heapq.heappop(self._heap)
            if entry.ticket == number:
                entry.ticket = None
                return entry
        return None

    def _rest(self, worker: Wake) -> None:
        if worker not in self._idle:
            self._idle.append(worker)

    def _idle_worker(self) -> Wake | None:
        return self._idle.pop() if self._idle else None


def _waits(entry: Entry) -> bool:
    return entry.status.state is JobState.PENDING
