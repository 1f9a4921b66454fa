"""What happened to the jobs, in a ring of fixed size in memory."""

from __future__ import annotations

import hashlib
import struct
import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Event, Moment, Status
from orthanc_lab.protocol.job_events import Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = ["EventLog"]

_HAPPENED = tuple(Happened)
_HAPPENED_OF = {event: Happened[event.name] for event in Event}
_STEPS = frozenset((Event.STEPPED, Event.CHECKPOINTED, Event.FINISHED, Event.FAILED))
_STATES: tuple[JobState | None, ...] = (None, *JobState)
_NUMBER_OF_EVENT = {event: number for number, event in enumerate(_HAPPENED)}
_NUMBER_OF_STATE = {state: number for number, state in enumerate(_STATES)}
# event, before, after, progress, worker, step, priority, error code: what the schedule decides, and no clock
_RECORD = struct.Struct("<BBBdiiii")
_pack = _RECORD.pack
_SIZE = _RECORD.size
_LARGEST = 2**31 - 1


class EventLog:
    """The last events of all jobs, each in some 140 bytes at most: a record, a time, and the id of its job.

    Events of one job stand in the order in which they happened, since the engine records them
    with the lock of the job held. An event is here before anybody can see what it changed.

    Parameters
    ----------
    limit
        How many events are kept; 0 for none.
    began
        The time of the beginning, UTC.
    """

    def __init__(self, limit: int, began: datetime) -> None:
        self._limit = limit
        self._began = began
        self._lock = threading.Lock()  # guards all below
        self._last = 0
        self._records = bytearray()
        self._times = array("d")
        self._jobs: list[str] = []
        self._kinds: list[str] = []

    @property
    def limit(self) -> int:
        """How many events are kept."""
        return self._limit

    @property
    def began(self) -> datetime:
        """When the log began."""
        return self._began

    @property
    def first(self) -> int:
        """The number of the oldest event that is still here, 0 if there is none."""
        with self._lock:
            return self._last - len(self._jobs) + 1 if self._jobs else 0

    @property
    def last(self) -> int:
        """The number of the last event, 0 before the first."""
        return self._last

    def moved(self, event: Event, entry: Entry, at: Moment, after: Status) -> None:
        """Note what is about to happen to a job, whose lock is held."""
        if event in _STEPS:
            entry.steps += 1
        elif event is Event.RESUBMIT:
            entry.steps = 0
        is_over = after.state is not JobState.RUNNING
        waits = event is Event.WAITED and not is_over
        if not (waits and entry.waits):  # one event, however often a job looks whether it can go on
            self.record(_HAPPENED_OF[event], entry, at, entry.status, after)
        entry.waits = waits
        if is_over:
            entry.worker = 0

    def record(self, event: Happened, entry: Entry, at: Moment, before: Status | None, after: Status | None) -> None:
        """Add an event of a job, whose lock is held; without `before` it is new, without `after` it is gone."""
        if not self._limit:
            return
        shown = after or before
        assert shown is not None
        states = _NUMBER_OF_STATE[before.state if before else None], _NUMBER_OF_STATE[after.state if after else None]
        numbers = entry.worker, entry.steps, entry.priority, shown.error_code
        try:
            record = _pack(_NUMBER_OF_EVENT[event], *states, shown.progress, *numbers)
        except struct.error:  # a number that no client can send
            fitting = (max(-_LARGEST, min(number, _LARGEST)) for number in numbers)
            record = _pack(_NUMBER_OF_EVENT[event], *states, shown.progress, *fitting)
        time = at.utc.timestamp()
        with self._lock:
            if len(self._jobs) < self._limit:
                self._records += record
                self._times.append(time)
                self._jobs.append(entry.id)
                self._kinds.append(entry.type)
            else:
                place = self._last % self._limit
                self._records[place * _SIZE : (place + 1) * _SIZE] = record
                self._times[place], self._jobs[place], self._kinds[place] = time, entry.id, entry.type
            self._last += 1

    def since(self, sequence: int = 0, limit: int | None = None, *, job: str | None = None) -> list[JobEvent]:
        """Return the events after the one with this number that are still here, the oldest first.

        Parameters
        ----------
        limit
            Most events to return; None for all.
        job
            Only events of this job.
        """
        part = self._part(max(sequence, 0) + 1, None if job is not None else limit)
        places = (place for place, other in enumerate(part.jobs) if job is None or other == job)
        return [part.event(place) for place in islice(places, limit)]

    def of(self, job: str) -> list[JobEvent]:
        """Return the events of one job that are still here."""
        return self.since(job=job)

    def digest(self) -> str:
        """Return a hash of what the schedule has decided: the same for two runs in which the same happened.

        Neither times nor identifiers count; jobs are told apart by the order in which they appear.
        """
        part = self._part(1)
        numbers: dict[str, int] = {}
        found = hashlib.sha256()
        for place, (job, kind) in enumerate(zip(part.jobs, part.kinds, strict=True)):
            found.update(b"%d %s " % (numbers.setdefault(job, len(numbers)), kind.encode()))
            found.update(part.records[place * _SIZE : (place + 1) * _SIZE])
        return found.hexdigest()

    def _part(self, first: int, most: int | None = None) -> _Part:
        """Return a copy of the events from a number on that are still here, and not more than `most` of them."""
        with self._lock:
            first = max(first, self._last - len(self._jobs) + 1)
            size = max(0, self._last - first + 1)
            size = size if most is None else min(size, most)
            start = (first - 1) % (self._limit or 1)
            # In the ring, what comes after its last place is at its first one.
            here, rest = slice(start, start + size), slice(0, max(0, start + size - self._limit))
            return _Part(
                first,
                bytes(self._records[here.start * _SIZE : here.stop * _SIZE] + self._records[: rest.stop * _SIZE]),
                self._times[here] + self._times[rest],
                self._jobs[here] + self._jobs[rest],
                self._kinds[here] + self._kinds[rest],
            )


@dataclass(frozen=True, slots=True)
class _Part:
    """Events that follow each other."""

    first: int  # the number of the first of them
    records: bytes
    times: Sequence[float]
    jobs: Sequence[str]
    kinds: Sequence[str]

    def event(self, place: int) -> JobEvent:
        """Return one of the events."""
        values = _RECORD.unpack_from(self.records, place * _SIZE)
        event, before, after, progress, worker, step, priority, error_code = values
        return JobEvent(
            self.first + place,
            datetime.fromtimestamp(self.times[place], UTC),
            self.jobs[place],
            self.kinds[place],
            priority,
            _HAPPENED[event],
            _STATES[before],
            _STATES[after],
            worker or None,
            step,
            int(progress * 100 + 0.5),
            error_code,
        )
