"""The story of a job in words: each move with its cause, and what the job waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from orthanc_lab.client import display
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.protocol.job_events import Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.visible import visible

__all__ = ["Line", "Story", "words"]

_STEPS = frozenset((Happened.STEPPED, Happened.CHECKPOINTED))
_IN_WORDS = {
    Happened.RESUME: "a client resumed it",
    Happened.RESUBMIT: "a client submitted it again",
    Happened.DELETE: "a client deleted it",
    Happened.WAITED: "its next step waits for somebody else",
    Happened.RETRY_DUE: "the time of the next try had come",
    Happened.INTERRUPTED: "the server stopped; the job goes on after the next start",
    Happened.DROPPED: "it dropped out of the history, which was full",
    Happened.LOST: "the lease of its server had ended; another one goes on with it",
    Happened.TAKEN_OVER: "taken over from a server whose lease had ended",
}
_ASKED = {Happened.CANCEL: "cancel", Happened.PAUSE: "pause"}
_DONE = {JobState.PAUSED: "paused", JobState.FAILURE: "canceled"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a story: one move, or steps that followed each other."""

    at: datetime  # UTC
    state: JobState | None  # from here on; None of a job that is gone
    words: str
    events: tuple[JobEvent, ...]


class Story(Sequence[JobEvent]):
    """What happened to a job: a sequence of events, shown as a table.

    Examples
    --------
    >>> job = client.studies.find()[0].archive_job(priority=2).wait()
    >>> print(job.story())
    Archive ...
      ... Pending  submitted by a client, with priority 2
      ... Running  worker ... took it
      ... Success  it made its last step, number ...
    >>> job.story()[0].cause.value
    'Client'
    """

    def __init__(self, id: str, events: Iterable[JobEvent], created: datetime | None = None) -> None:
        self.id = id
        self.created = created  # as the server says, also where the log has no event of it
        self._events = tuple(events)

    def __getitem__(self, index: int) -> JobEvent:  # type: ignore[override]  # a slice of a story is no story
        return self._events[index]

    def __len__(self) -> int:
        return len(self._events)

    @property
    def moves(self) -> tuple[JobEvent, ...]:
        """The events that changed the state of the job."""
        return tuple(event for event in self._events if event.is_move)

    @property
    def lines(self) -> list[Line]:
        """The story line by line; steps that followed each other are one line."""
        return [Line(part[-1].at, part[-1].after, _told(part), part) for part in _parts(self._events)]

    @property
    def note(self) -> str:
        """What is missing at the beginning, "" if nothing is."""
        if not self._events:
            return "The log of the server has no event of this job."
        if any(event.event is Happened.TAKEN_OVER for event in self._events):
            return "The beginning is in the log of another server, which ran the job before."
        submitted = f" The job was submitted at {self.created:%Y-%m-%d %H:%M:%S} UTC." if self.created else ""
        match self._events[0].event:
            case Happened.SUBMITTED:
                return ""
            case Happened.RESTORED:
                return f"What happened before the server was started is not in its log.{submitted}"
            case _:
                return f"The beginning is no longer in the log of the server (option JobsEventsSize).{submitted}"

    def __str__(self) -> str:
        head = f"{self._events[0].kind if self._events else 'Job'} {self.id}"
        lines = [f"  {line.at:%H:%M:%S.%f} {_name(line.state):<8} {line.words}" for line in self.lines]
        return visible("\n".join([head, *([f"  {self.note}"] if self.note else []), *lines]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = (
            (f"{line.at:%Y-%m-%d %H:%M:%S.%f} UTC", _name(line.state), line.words, line.events[-1].cause.value)
            for line in self.lines
        )
        below = display.table(("Time", "State", "What happened", "Cause"), rows) + display.paragraph(self.note)
        return display.card(f"{self._events[0].kind if self._events else 'Job'} {self.id}", {}, below=below)


def words(event: JobEvent) -> str:
    """Return what happened in words.

    Examples
    --------
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> words(job.story()[0])
    'submitted by a client, with priority 0'
    """
    match event.event:
        case Happened.SUBMITTED:
            return f"submitted by a client, with priority {event.priority}"
        case Happened.RESTORED:
            return f"the server started, and found it {_name(event.before)} on disk"
        case Happened.PICKED:
            return f"worker {event.worker} took it"
        case Happened.FINISHED:
            return f"it made its last step, number {event.step}"
        case Happened.FAILED:
            return f"its step {event.step} failed: {ERROR_TEXTS.get(event.error_code, ERROR_TEXTS[-1])}"
        case Happened.CANCEL | Happened.PAUSE:
            if event.is_move:
                return f"a client {_DONE[event.after]} it" if event.after in _DONE else "a client moved it"
            return f"a client asked to {_ASKED[event.event]} it; the step goes on to its end"
        case _ if event.is_move and event.after in _DONE and event.event not in _IN_WORDS:
            return f"{_DONE[event.after]} after step {event.step}, as a client had asked"
        case Happened.STEPPED | Happened.CHECKPOINTED | Happened.STARTED:
            return f"it made step {event.step}, and is at {event.progress} %"
        case other:
            return _IN_WORDS[other]


def _told(part: Sequence[JobEvent]) -> str:
    last = part[-1]
    if len(part) == 1:
        return words(last)
    return f"it made steps {part[0].step} to {last.step}, and is at {last.progress} %"


def _parts(events: Iterable[JobEvent]) -> Iterator[tuple[JobEvent, ...]]:
    steps: list[JobEvent] = []
    for event in events:
        if event.event in _STEPS and not event.is_move:
            steps.append(event)
            continue
        if steps:
            yield tuple(steps)
            steps = []
        yield (event,)
    if steps:
        yield tuple(steps)


def _name(state: JobState | None) -> str:
    return "gone" if state is None else state.value
