"""What the jobs engine asks of a job, and what it gives back.

A job is a list of resumable steps. A worker of the engine runs one step at a time, and
between two steps it looks for a pause or a cancellation, writes the job's durable state
and goes on. So a step should be short (below about 100 ms), and after
each step `Job.serialize` must describe all that is needed to go on from there.

Short steps are not written down one by one: after a crash, a job goes on from one of the last of
them, and does some steps again. A step that takes away what earlier ones need must therefore not
begin before those are on disk: the step before it returns `Checkpoint`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from orthanc_lab.protocol.job_events import JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = [
    "Checkpoint",
    "InProgress",
    "Interruptible",
    "Job",
    "JobEvents",
    "JobOutput",
    "JobView",
    "Jobs",
    "JobsService",
    "NotReady",
    "Restore",
    "StopReason",
]


class StopReason(Enum):
    """Why the engine stops calling a job for now.

    Examples
    --------
    >>> StopReason.PAUSED.value
    'paused'
    """

    PAUSED = "paused"
    CANCELED = "canceled"
    SHUTDOWN = "shutdown"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class JobOutput:
    """What a finished job left behind, served at ``/jobs/{id}/{key}``."""

    name: str  # in the output store; the engine removes it there when its time has come
    content_type: str  # e.g. application/zip
    filename: str  # for Content-Disposition
    content: bytes | None = None  # of a small one, which is in the list of jobs and not in the output store


@dataclass(frozen=True, slots=True)
class NotReady:
    """The answer of a step that had to wait for somebody else, and did nothing: it is to be tried again."""

    seconds: float  # after this time at the latest
    when_ready: Callable[[Callable[[], None]], None]  # given what to call, once, when it is worth to try earlier


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The answer of a step that must not be done again once the next one has begun; more remains."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The answer of a step that goes on elsewhere: `Job.step` is to be called again for its result.

    A pause waits for that; a cancellation, and the engine when it stops, wait for a moment only.
    """

    seconds: float  # ask after this time at the latest
    when_done: Callable[[Callable[[], None]], None]  # given what to call, once, when the result is there


class Job(Protocol):
    """One job, as the kind that made it hands it to the engine."""

    @property
    def type(self) -> str:
        """``Archive``, ``Media``, ``ResourceModification`` … as in the field ``Type``."""
        ...

    def start(self) -> None:
        """Open what the steps need; before the first step, and again after a pause or a restart.

        A job restored from disk finds its outside changed: files written after the last
        `serialize` must be cut back to it here.
        """
        ...

    def step(self) -> bool | NotReady | Checkpoint | InProgress:
        """Do the next piece of work; return True while more remains, `NotReady` if nothing can be done now.

        After `Checkpoint`, the next step begins only when the job's durable state is on disk.

        Raises
        ------
        OrthancError
            The job fails with this code and these details. Any other exception becomes
            -1 "Internal error".
        """
        ...

    def stop(self, reason: StopReason) -> None:
        """Release what `start` opened. Also called for a job that never started, and again for another reason."""
        ...

    def reset(self) -> None:
        """Go back to the beginning, for a resubmission.

        Raises
        ------
        OrthancError
            6 "Bad sequence of calls" if the job cannot be run again.
        """
        ...

    def progress(self) -> float:
        """Return the part done, 0.0 to 1.0."""
        ...

    def content(self) -> dict[str, Any]:
        """Return the public ``Content`` of the job; called after each step."""
        ...

    def serialize(self) -> dict[str, Any] | None:
        """Return what `Restore` needs to go on after the last finished step, as JSON values.

        None for a job that cannot outlive its process (one that streams to a client).
        """
        ...

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return the outputs by key once the job succeeded; usually empty."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A job whose steps may wait long for somebody else."""

    def interrupt(self) -> None:
        """Let the step in progress fail soon; called from another thread, when the engine stops.

        The job does not fail by it: it goes on after the next start, from where the last finished step left it.
        """
        ...


Restore = Callable[[dict[str, Any]], Job]
"""Makes a job again from what `Job.serialize` returned; one for each type that is durable."""


@dataclass(frozen=True, slots=True)
class JobView:
    """What one can see of a job at one moment."""

    id: str  # UUID v4, lower case
    type: str
    state: JobState
    priority: int  # higher runs earlier
    progress: int  # 0 … 100
    creation_time: datetime  # UTC
    completion_time: datetime | None  # only Success and Failure
    eta: datetime | None  # only Running, see jobs.md
    runtime: float  # seconds
    error_code: int  # 0 = Success
    error_details: str  # "" if none
    content: dict[str, Any]


class JobEvents(Protocol):
    """What happened to the jobs, in the order in which it did."""

    @property
    def limit(self) -> int:
        """How many events are kept."""
        ...

    @property
    def began(self) -> datetime:
        """When the log began: with the jobs engine."""
        ...

    @property
    def first(self) -> int:
        """The number of the oldest event that is still kept, 0 if there is none."""
        ...

    @property
    def last(self) -> int:
        """The number of the last event, 0 before the first."""
        ...

    def since(self, sequence: int = 0, limit: int | None = None, *, job: str | None = None) -> list[JobEvent]:
        """Return the events after the one with this number that are still kept, the oldest first."""
        ...

    def of(self, job: str) -> list[JobEvent]:
        """Return the events of one job that are still kept."""
        ...

    def digest(self) -> str:
        """Return a hash of what the schedule has decided, without times and identifiers."""
        ...


class Jobs(Protocol):
    """The jobs engine as a resource sees it."""

    @property
    def events(self) -> JobEvents:
        """What happened to the jobs."""
        ...

    def submit(self, job: Job, priority: int = 0) -> str:
        """Write a job down, let it wait for a worker and return its id.

        Raises
        ------
        OrthancError
            19 or 11 if it cannot be written, 36 if the engine has stopped.
        """
        ...

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Submit a job and wait for its end, also across a pause.

        Raises
        ------
        OrthancError
            The code and details of a job that failed or was canceled, 7 if no history is
            kept, 36 if the engine stops meanwhile. That of the disk if it cannot take the next
            status of the job, which goes on once it can.
        """
        ...

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        ...

    def get(self, id: str) -> JobView | None:
        """Return a job as it is now, None if it is unknown; the same object again while nothing has changed."""
        ...

    def views(self) -> list[JobView]:
        """Return all jobs as they are now, sorted by id."""
        ...

    @property
    def workers(self) -> int:
        """How many jobs run at the same time."""
        ...

    def ahead(self, id: str) -> int | None:
        """Return how many jobs go before one that waits for a worker; None if it does not."""
        ...

    def counts(self) -> Mapping[JobState, int]:
        """Return how many jobs there are in each state."""
        ...

    def cancel(self, id: str) -> bool:
        """Cancel a job; one that runs ends after its current step. False if it is unknown.

        This and the next commands are on disk when they return; if they cannot be written, they raise
        `OrthancError` and nothing has changed.
        """
        ...

    def pause(self, id: str) -> bool:
        """Pause a job; one that runs pauses after its current step. False if it is unknown."""
        ...

    def resume(self, id: str) -> bool:
        """Let a paused job go on; False if there is none by this id."""
        ...

    def resubmit(self, id: str) -> bool:
        """Run a failed job again from its beginning; False if there is none by this id.

        Raises
        ------
        OrthancError
            6 if the job cannot be run again.
        """
        ...

    def delete(self, id: str) -> bool:
        """Forget an ended job and its outputs; False if there is none by this id."""
        ...

    def output(self, id: str, key: str) -> JobOutput | None:
        """Return an output of a job that succeeded; counts as a use of it."""
        ...

    def delete_output(self, id: str, key: str) -> bool:
        """Remove an output of a job that succeeded; False if there is none."""
        ...


class JobsService(Jobs, Protocol):
    """The jobs engine as the assembly sees it."""

    def start(self) -> None:
        """Let jobs run."""
        ...

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the current steps and release the callers that wait; does nothing the second time.

        Parameters
        ----------
        timeout
            Seconds to wait for a step that does not end.
        """
        ...

    def made(self) -> Mapping[str, Job]:
        """Return the jobs of this server that may run some time, by id, as their kinds have made them."""
        ...
