"""The list of jobs as it was at any event, and what each worker did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from operator import itemgetter

from orthanc_lab.protocol.job_events import Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = ["JobThen", "Replay", "Span"]

_BLOCK = 1_000  # events between two key frames


@dataclass(frozen=True, slots=True)
class JobThen:
    """A job as it was after an event."""

    id: str
    kind: str
    state: JobState
    priority: int
    progress: int  # 0 … 100
    error_code: int
    since: datetime  # of the first event that is known, UTC


@dataclass(frozen=True, slots=True)
class Span:
    """The time from when a worker took a job until the job left the state Running."""

    worker: int
    job: str
    kind: str
    start: datetime
    end: datetime | None = None  # None while it runs
    after: JobState | None = JobState.RUNNING  # the state that followed


# A full collection of garbage visits every object that may hold others, and stops all threads meanwhile: with 100,000
# events as such objects, for a tenth of a second. It leaves out tuples of plain values.
_Line = tuple[int, datetime, str, str, int, str, str | None, str | None, int | None, int, int, int]
"""The fields of a `JobEvent`, by values."""
_Bar = tuple[int, str, str, datetime, datetime | None, str | None]
"""The fields of a `Span`, by values."""


class Replay:
    """Events of jobs, with the list of jobs after each of them.

    The list is kept at every thousandth event; any other is that of the key frame before it, and at most a thousand
    events on top.

    Parameters
    ----------
    limit
        How many events are kept, at least; the oldest are dropped by thousands.

    Examples
    --------
    >>> replay = Replay()
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> _ = replay.extend(client.jobs.events())
    >>> [then.state.value for then in replay.jobs_at(len(replay))]
    ['Success']
    >>> replay.jobs_at(0)
    []
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._lines: list[_Line] = []
        self._dropped = 0  # lines before those
        self._older: dict[int, _Line] = {}  # those of them that are still the last ones of a job
        self._since: dict[str, datetime] = {}  # when a job was first seen
        self._frames: list[dict[str, int]] = []  # the last line of each job, before every thousandth event
        self._now: dict[str, int] = {}
        self._bars: list[_Bar] = []  # of what has ended
        self._open: dict[str, _Bar] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def last(self) -> int:
        """The number of the last event, 0 before the first."""
        return self._lines[-1][0] if self._lines else 0

    def extend(self, events: Iterable[JobEvent]) -> int:
        """Add what has happened since; return how many of the oldest events were dropped."""
        for event in events:
            if len(self._lines) % _BLOCK == 0:
                self._frames.append(self._now.copy())
            line = _line(event)
            _apply(line, self._dropped + len(self._lines), self._now)
            self._lines.append(line)
            self._since.setdefault(event.job, event.at)
            self._note_bar(event)
        surplus = max(0, (len(self._lines) - self._limit) // _BLOCK)
        if surplus:
            self._drop(surplus)
        return surplus * _BLOCK

    def _drop(self, blocks: int) -> None:
        kept = blocks * _BLOCK
        known = self._frames[blocks] if blocks < len(self._frames) else self._now
        end = self._dropped + kept
        self._older = {number: self._line(number) for number in known.values() if number < end}
        self._dropped = end
        del self._lines[:kept], self._frames[:blocks]
        start = self._lines[0][1] if self._lines else datetime.max.replace(tzinfo=UTC)
        self._bars = [bar for bar in self._bars if bar[4] is not None and bar[4] >= start]
        jobs = {line[2] for line in self._lines} | known.keys()
        self._since = {job: since for job, since in self._since.items() if job in jobs}

    def _line(self, number: int) -> _Line:
        place = number - self._dropped
        return self._lines[place] if place >= 0 else self._older[number]

    def event(self, position: int) -> JobEvent | None:
        """Return the last event before a position, None at the beginning."""
        return _event(self._lines[position - 1]) if 0 < position <= len(self._lines) else None

    def jobs_at(self, position: int) -> list[JobThen]:
        """Return the jobs as they were after the first `position` events, the latest first."""
        return self.latest_jobs_at(position, len(self._lines))[0]

    def latest_jobs_at(self, position: int, most: int) -> tuple[list[JobThen], int]:
        """Return the latest jobs as they were after the first `position` events, and how many there were in all."""
        if not self._frames:
            return [], 0
        position = max(0, min(position, len(self._lines)))
        block = min(position // _BLOCK, len(self._frames) - 1)
        jobs = self._frames[block].copy()
        for place in range(block * _BLOCK, position):
            _apply(self._lines[place], self._dropped + place, jobs)
        return [self._then(number) for number in islice(reversed(jobs.values()), most)], len(jobs)

    def _then(self, number: int) -> JobThen:
        _, _, job, kind, priority, _, _, after, _, _, progress, error_code = self._line(number)
        return JobThen(job, kind, JobState(after), priority, progress, error_code, self._since[job])

    def spans(self, start: datetime, end: datetime, most: int | None = None) -> Iterator[Span]:
        """Yield what workers did between two times, in the order in which it began: all, or the last ones of it."""
        bars = [bar for bar in self._bars if bar[3] <= end and bar[4] is not None and bar[4] >= start]
        bars += [bar for bar in self._open.values() if bar[3] <= end]
        bars.sort(key=itemgetter(3))
        return map(_span, bars if most is None else bars[-most:])

    def around(self, position: int, seconds: float) -> tuple[datetime, datetime] | None:
        """Return the span of time of this length with a position at three quarters of it; None without events."""
        if not self._lines:
            return None
        at = self._lines[max(0, min(position, len(self._lines)) - 1)][1]
        end = at + timedelta(seconds=seconds / 4)
        return end - timedelta(seconds=seconds), end

    def _note_bar(self, event: JobEvent) -> None:
        if event.event is Happened.PICKED:
            self._open[event.job] = (event.worker or 0, event.job, event.kind, event.at, None, JobState.RUNNING.value)
        elif event.after is not JobState.RUNNING and (bar := self._open.pop(event.job, None)) is not None:
            self._bars.append((*bar[:4], event.at, event.after and event.after.value))


def _apply(line: _Line, number: int, jobs: dict[str, int]) -> None:
    job, after = line[2], line[7]
    if after is None:
        jobs.pop(job, None)
    else:
        jobs[job] = number


def _line(event: JobEvent) -> _Line:
    return (
        event.sequence,
        event.at,
        event.job,
        event.kind,
        event.priority,
        event.event.value,
        event.before and event.before.value,
        event.after and event.after.value,
        event.worker,
        event.step,
        event.progress,
        event.error_code,
    )


def _event(line: _Line) -> JobEvent:
    return JobEvent(*line[:5], Happened(line[5]), _state(line[6]), _state(line[7]), *line[8:])


def _span(bar: _Bar) -> Span:
    worker, job, kind, start, end, after = bar
    return Span(worker, job, kind, start, end, _state(after))


def _state(value: str | None) -> JobState | None:
    return None if value is None else JobState(value)
