"""What happens to jobs: the events of the log that a server keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.timestamps import iso_micros, parse_iso

__all__ = ["Cause", "Happened", "JobEvent", "event_document", "read_event"]


class Happened(Enum):
    """What happened to a job; the first five are commands of a client."""

    CANCEL = "Cancel"
    PAUSE = "Pause"
    RESUME = "Resume"
    RESUBMIT = "Resubmit"
    DELETE = "Delete"
    SUBMITTED = "Submitted"
    PICKED = "Picked"
    STARTED = "Started"
    STEPPED = "Stepped"
    WAITED = "Waited"
    CHECKPOINTED = "Checkpointed"
    FINISHED = "Finished"
    FAILED = "Failed"
    RETRY_DUE = "RetryDue"
    RESTORED = "Restored"
    INTERRUPTED = "Interrupted"
    DROPPED = "Dropped"
    LOST = "Lost"
    TAKEN_OVER = "TakenOver"

    __hash__ = object.__hash__  # see JobState


class Cause(Enum):
    """What moved a job."""

    CLIENT = "Client"  # a command, at once or after the step that ran when it came
    WORKER = "Worker"  # took the job, or made a step
    TIME = "Time"  # of the next try had come
    RESTART = "Restart"  # found the job on disk
    STOP = "Stop"  # of the jobs engine
    HISTORY = "History"  # was full
    LEASE = "Lease"  # of the server that ran it had ended


_EVENTS = {event.value: event for event in Happened}
_STATES = {state.value: state for state in JobState}
_COMMANDS = frozenset(
    (Happened.CANCEL, Happened.PAUSE, Happened.RESUME, Happened.RESUBMIT, Happened.DELETE, Happened.SUBMITTED)
)
_CAUSES = {
    Happened.RETRY_DUE: Cause.TIME,
    Happened.RESTORED: Cause.RESTART,
    Happened.INTERRUPTED: Cause.STOP,
    Happened.DROPPED: Cause.HISTORY,
    Happened.LOST: Cause.LEASE,
    Happened.TAKEN_OVER: Cause.LEASE,
}
_BETWEEN_STEPS = frozenset((Happened.STARTED, Happened.STEPPED, Happened.WAITED, Happened.CHECKPOINTED))


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One move or step of a job.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    >>> running, paused = JobState.RUNNING, JobState.PAUSED
    >>> JobEvent(8, noon, "a9f…", "Archive", 0, Happened.STEPPED, running, paused, worker=1, step=3).cause
    <Cause.CLIENT: 'Client'>
    """

    sequence: int  # 1, 2, … in the order of the log
    at: datetime  # UTC
    job: str
    kind: str  # the type of the job
    priority: int
    event: Happened
    before: JobState | None  # None of a job that is new
    after: JobState | None  # None of a job that is gone
    worker: int | None = None  # the one that ran the job, 1, 2, …
    step: int = 0  # how many steps the job had made with this one; of a failure, the one that failed
    progress: int = 0  # 0 … 100
    error_code: int = 0

    @property
    def cause(self) -> Cause:
        """What moved the job."""
        if self.event in _COMMANDS or (self.event in _BETWEEN_STEPS and self.is_move):
            return Cause.CLIENT
        return _CAUSES.get(self.event, Cause.WORKER)

    @property
    def is_move(self) -> bool:
        """Whether the job changed its state, rather than go on in it."""
        return self.before is not self.after


def event_document(event: JobEvent) -> dict[str, Any]:
    """Return an event as the JSON object that the server sends."""
    return {
        "Sequence": event.sequence,
        "Time": iso_micros(event.at),
        "Job": event.job,
        "Type": event.kind,
        "Priority": event.priority,
        "Event": event.event.value,
        "Before": event.before and event.before.value,
        "After": event.after and event.after.value,
        "Cause": event.cause.value,
        "Worker": event.worker,
        "Step": event.step,
        "Progress": event.progress,
        "ErrorCode": event.error_code,
    }


def read_event(document: Mapping[str, Any]) -> JobEvent:
    """Read back what `event_document` made.

    Raises
    ------
    KeyError, ValueError, TypeError
        If it is something else.
    """
    return JobEvent(
        sequence=int(document["Sequence"]),
        at=parse_iso(document["Time"]),
        job=str(document["Job"]),
        kind=str(document["Type"]),
        priority=int(document["Priority"]),
        event=_EVENTS[document["Event"]],
        before=_state(document["Before"]),
        after=_state(document["After"]),
        worker=None if document["Worker"] is None else int(document["Worker"]),
        step=int(document["Step"]),
        progress=int(document["Progress"]),
        error_code=int(document["ErrorCode"]),
    )


def _state(name: str | None) -> JobState | None:
    return None if name is None else _STATES[name]
