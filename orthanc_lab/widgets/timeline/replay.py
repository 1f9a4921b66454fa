"""The list of jobs as it was at any event, and what each worker did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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


@dataclass(slots=True)
class Span:
    """The time from when a worker took a job until the job left the state Running."""

    worker: int
    job: str
    kind: str
    start: datetime
    end: datetime | None = None  # None while it runs
    after: JobState | None = JobState.RUNNING  # the state that followed


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
        self._events: list[JobEvent] = []
        self._frames: list[dict[str, JobThen]] = []  # before every thousandth event
        self._now: dict[str, JobThen] = {}
        self._spans: list[Span] = []
        self._open: dict[str, Span] = {}

    def __len__(self) -> int:
        return len(self._events)

    @property
    def last(self) -> int:
        """The number of the last event, 0 before the first."""
        return self._events[-1].sequence if self._events else 0

    def extend(self, events: Iterable[JobEvent]) -> int:
        """Add what has happened since; return how many of the oldest events were dropped."""
        for event in events:
            if len(self._events) % _BLOCK == 0:
                self._frames.append(self._now.copy())
            self._events.append(event)
            _apply(event, self._now)
            self._note_span(event)
        surplus = max(0, (len(self._events) - self._limit) // _BLOCK)
        if surplus:
            del self._events[: surplus * _BLOCK], self._frames[:surplus]
            start = self._events[0].at
            self._spans = [span for span in self._spans if span.end is None or span.end >= start]
        return surplus * _BLOCK

    def event(self, position: int) -> JobEvent | None:
        """Return the last event before a position, None at the beginning."""
        return self._events[position - 1] if 0 < position <= len(self._events) else None

    def jobs_at(self, position: int) -> list[JobThen]:
        """Return the jobs as they were after the first `position` events, the latest first."""
        if not self._frames:
            return []
        position = max(0, min(position, len(self._events)))
        block = min(position // _BLOCK, len(self._frames) - 1)
        jobs = self._frames[block].copy()
        for event in self._events[block * _BLOCK : position]:
            _apply(event, jobs)
        return list(reversed(jobs.values()))

    def spans(self, start: datetime, end: datetime) -> Sequence[Span]:
        """Return what workers did between two times."""
        return [span for span in self._spans if span.start <= end and (span.end is None or span.end >= start)]

    def around(self, position: int, seconds: float) -> tuple[datetime, datetime] | None:
        """Return the span of time of this length with a position at three quarters of it; None without events."""
        if not self._events:
            return None
        at = self._events[max(0, min(position, len(self._events)) - 1)].at
        end = at + timedelta(seconds=seconds / 4)
        return end - timedelta(seconds=seconds), end

    def _note_span(self, event: JobEvent) -> None:
        if event.event is Happened.PICKED:
            self._open[event.job] = Span(event.worker or 0, event.job, event.kind, event.at)
            self._spans.append(self._open[event.job])
        elif event.after is not JobState.RUNNING and (span := self._open.pop(event.job, None)) is not None:
            span.end, span.after = event.at, event.after


def _apply(event: JobEvent, jobs: dict[str, JobThen]) -> None:
    if event.after is None:
        jobs.pop(event.job, None)
        return
    known = jobs.get(event.job)
    jobs[event.job] = JobThen(
        event.job,
        event.kind,
        event.after,
        event.priority,
        event.progress,
        event.error_code,
        event.at if known is None else known.since,
    )
