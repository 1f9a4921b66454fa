"""What happened to the jobs, in a ring of fixed size in memory."""

from __future__ import annotations

import hashlib
import struct
import threading
from array import array
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
        with self._lock:
            first = max(sequence, self._last - len(self._jobs), 0)
            numbers = range(first + 1, self._last + 1)
            wanted = (number for number in numbers if job is None or self._jobs[self._place(number)] == job)
            chosen = list(islice(wanted, limit))
            return [self._event(number) for number in chosen]

    def of(self, job: str) -> list[JobEvent]:
        """Return the events of one job that are still here."""
        return self.since(job=job)

    def digest(self) -> str:
        """Return a hash of what the schedule has decided: the same for two runs in which the same happened.

        Neither times nor identifiers count; jobs are told apart by the order in which they appear.
        """
        with self._lock:
            numbers: dict[str, int] = {}
            found = hashlib.sha256()
            for number in range(self._last - len(self._jobs) + 1, self._last + 1):
                place = self._place(number)
                job = numbers.setdefault(self._jobs[place], len(numbers))
                found.update(b"%d %s " % (job, self._kinds[place].encode()))
                found.update(self._record(place))
            return found.hexdigest()

    def _place(self, number: int) -> int:
        return (number - 1) % self._limit

    def _record(self, place: int) -> bytes:
        return bytes(self._records[place * _SIZE : (place + 1) * _SIZE])

    def _event(self, number: int) -> JobEvent:
        place = self._place(number)
        values = _RECORD.unpack_from(self._records, place * _SIZE)
        event, before, after, progress, worker, step, priority, error_code = values
        return JobEvent(
            number,
            datetime.fromtimestamp(self._times[place], UTC),
            self._jobs[place],
            self._kinds[place],
            priority,
            _HAPPENED[event],
            _STATES[before],
            _STATES[after],
            worker or None,
            step,
            int(progress * 100 + 0.5),
            error_code,
        )
