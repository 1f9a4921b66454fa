"""The jobs that the engine knows: by id, in the line for a worker, in the history."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort
from collections.abc import Iterable

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.ready_queue import ReadyQueue
from orthanc_lab.jobs.submit_burst import SubmitBurst

__all__ = ["JobTable"]


class JobTable:
    """All jobs behind one lock, which is held for moments only.

    A job's own lock is taken before this one, never after.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition(threading.Lock())
        self._entries: dict[str, Entry] = {}
        self._sorted_ids: list[str] = []
        self._history: dict[str, Entry] = {}  # the ended ones, oldest completion first
        self._line = ReadyQueue()
        self._burst = SubmitBurst()
        self._is_watched = False  # a worker waits for the end of the burst
        self._sequence = 0
        self._closed = False

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def get(self, id: str) -> Entry | None:
        """Return a job, None if it is unknown."""
        return self._entries.get(id)

    def holds(self, entry: Entry) -> bool:
        """Tell whether a job is still known: another thread may have removed it."""
        return self._entries.get(entry.id) is entry

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        with self._ready:
            return self._sorted_ids.copy()

    def entries(self) -> list[Entry]:
        """Return all jobs, sorted by id."""
        with self._ready:
            return [self._entries[id] for id in self._sorted_ids]

    def entries_in_any_order(self) -> list[Entry]:
        """Return all jobs, quicker than by id."""
        with self._ready:
            return list(self._entries.values())

    def next_sequence(self) -> int:
        """Return 1, 2, … in the order of submission."""
        with self._ready:
            self._sequence += 1
            return self._sequence

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take in what was on disk; none of it waits yet."""
        for entry in entries:
            self._entries[entry.id] = entry
            self._sequence = max(self._sequence, entry.sequence)
        self._sorted_ids = sorted(self._entries)
        ended = [entry for entry in self._entries.values() if entry.status.state.is_final]
        ended.sort(key=lambda entry: entry.status.completion_time or entry.created)
        self._history = {entry.id: entry for entry in ended}

    def add(self, entry: Entry) -> bool:
        """Take in a new job and let it wait for a worker; False if no worker will come any more."""
        with self._ready:
            self._entries[entry.id] = entry
            insort(self._sorted_ids, entry.id)
            self._line.join(entry)
            self._burst.arrive(time.monotonic(), awaited=entry.ended is not None)
            self._wake()
            return not self._closed

    def remove(self, entry: Entry) -> None:
        """Forget a job."""
        with self._ready:
            del self._entries[entry.id]
            del self._sorted_ids[bisect_left(self._sorted_ids, entry.id)]
            self._history.pop(entry.id, None)

    def queue(self, entry: Entry) -> None:
        """Let a job wait for a worker."""
        with self._ready:
            self._line.join(entry)
            self._ready.notify()

    def next_in_line(self) -> Entry | None:
        """Wait for a job whose turn it is; None once `close` was called."""
        with self._ready:
            while not self._closed:
                delay = self._burst.delay(time.monotonic())
                if delay:
                    self._stand_back(delay)
                    continue
                entry = self._line.pop()
                if entry is not None:
                    if self._line:
                        self._ready.notify()  # there is work for another worker, who may stand back, too
                    return entry
                self._burst.drained()
                self._ready.wait()
            return None

    def _stand_back(self, delay: float) -> None:
        if self._is_watched:
            self._ready.wait()
        else:
            self._is_watched = True
            self._ready.wait(delay)
            self._is_watched = False

    def _wake(self) -> None:
        # The one that waits for the end of the burst wakes by itself, and then another one.
        if not self._is_watched or not self._burst.delay(time.monotonic()):
            self._ready.notify()

    def enter_history(self, entry: Entry) -> None:
        """Note that a job has ended."""
        with self._ready:
            self._history[entry.id] = entry

    def leave_history(self, entry: Entry) -> None:
        """Note that an ended job is to run again."""
        with self._ready:
            self._history.pop(entry.id, None)

    def in_history(self, entry: Entry) -> bool:
        """Tell whether a job has ended and is still known."""
        return self._history.get(entry.id) is entry

    def history(self) -> list[Entry]:
        """Return the ended jobs, oldest completion first."""
        with self._ready:
            return list(self._history.values())

    def surplus(self, size: int) -> Entry | None:
        """Return the job that ended first, if more than `size` are in the history."""
        with self._ready:
            return next(iter(self._history.values())) if len(self._history) > size else None

    def close(self) -> None:
        """Send the workers home."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
