"""The jobs that the engine knows: by id, by state, in the history."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Status
from orthanc_lab.protocol.jobs import JobState

__all__ = ["JobTable"]


class JobTable:
    """All jobs behind one lock, which is held for moments only.

    A job's own lock is taken before this one, never after.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._sorted_ids: list[str] = []
        # The ended ones, oldest completion first. Not a dict, which looks for its first key among all removed ones.
        self._history: OrderedDict[str, Entry] = OrderedDict()
        self._counts = dict.fromkeys(JobState, 0)
        self._sequence = 0
        self._closed = False

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def get(self, id: str) -> Entry | None:
        """Return a job, None if it is unknown."""
        return self._entries.get(id)

    def holds(self, entry: Entry) -> bool:
        """Return whether a job is still known: another thread may have removed it."""
        return self._entries.get(entry.id) is entry

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        with self._lock:
            return self._sorted_ids.copy()

    def entries(self) -> list[Entry]:
        """Return all jobs, sorted by id."""
        with self._lock:
            return [self._entries[id] for id in self._sorted_ids]

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        with self._lock:
            return self._counts.copy()

    def next_sequence(self) -> int:
        """Return 1, 2, … in the order of submission."""
        with self._lock:
            self._sequence += 1
            return self._sequence

    def fill(self, entries: Iterable[Entry]) -> None:
        """Take in what was on disk; none of it waits yet."""
        for entry in entries:
            self._entries[entry.id] = entry
            self._counts[entry.status.state] += 1
            self._sequence = max(self._sequence, entry.sequence)
        self._sorted_ids = sorted(self._entries)
        ended = [entry for entry in self._entries.values() if entry.status.state.is_final]
        ended.sort(key=lambda entry: entry.status.completion_time or entry.created)
        self._history = OrderedDict((entry.id, entry) for entry in ended)

    def add(self, entry: Entry) -> bool:
        """Take in a new job; False after `close`: no worker will come for it."""
        with self._lock:
            self._entries[entry.id] = entry
            insort(self._sorted_ids, entry.id)
            self._counts[entry.status.state] += 1
            return not self._closed

    def set_status(self, entry: Entry, status: Status) -> None:
        """Give a job, whose lock is held, its next status."""
        before, after = entry.status.state, status.state
        if before is not after:
            with self._lock:
                self._counts[before] -= 1
                self._counts[after] += 1
        entry.status = status

    def replace(self, old: Entry, new: Entry) -> None:
        """Let another entry stand for the same job."""
        with self._lock:
            self._entries[new.id] = new
            self._counts[old.status.state] -= 1
            self._counts[new.status.state] += 1

    def remove(self, entry: Entry) -> None:
        """Forget a job, whose lock is held."""
        with self._lock:
            del self._entries[entry.id]
            del self._sorted_ids[bisect_left(self._sorted_ids, entry.id)]
            self._counts[entry.status.state] -= 1
            self._history.pop(entry.id, None)

    def enter_history(self, entry: Entry) -> None:
        """Note that a job has ended."""
        with self._lock:
            self._history[entry.id] = entry

    def leave_history(self, entry: Entry) -> None:
        """Note that an ended job is to run again."""
        with self._lock:
            self._history.pop(entry.id, None)

    def in_history(self, entry: Entry) -> bool:
        """Return whether a job has ended and is still known."""
        return self._history.get(entry.id) is entry

    def history(self) -> list[Entry]:
        """Return the ended jobs, oldest completion first."""
        with self._lock:
            return list(self._history.values())

    def surplus(self, size: int) -> Entry | None:
        """Return the job that ended first, if more than `size` are in the history."""
        with self._lock:
            return next(iter(self._history.values())) if len(self._history) > size else None

    def close(self) -> None:
        """Note that no worker takes a job any more."""
        with self._lock:
            self._closed = True
