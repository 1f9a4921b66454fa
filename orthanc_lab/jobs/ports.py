"""What the jobs engine asks of a job, and what it gives back.

A job is a list of resumable steps. The engine runs one step at a time on a worker
thread, and between two steps it looks for a pause or a cancellation, writes the job's
durable state and goes on. So a step should be short (below about 100 ms), and after
each step `Job.serialize` must describe all that is needed to go on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from orthanc_lab.protocol.jobs import JobState

__all__ = ["Job", "JobOutput", "JobView", "Restore", "StopReason"]


class StopReason(Enum):
    """Why the engine stops calling a job for now."""

    PAUSED = "paused"
    CANCELED = "canceled"
    SHUTDOWN = "shutdown"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class JobOutput:
    """A file that a finished job left behind, served at ``/jobs/{id}/{key}``."""

    path: Path  # inside the folder the engine gave; the engine deletes it on eviction
    content_type: str  # e.g. application/zip
    filename: str  # for Content-Disposition
    content: bytes | None = None  # of a small one, which stands in the list of jobs: then there is no file


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

    def step(self) -> bool:
        """Do the next piece of work; return True while more remains.

        Raises
        ------
        OrthancError
            The job fails with this code and these details. Any other exception becomes
            -1 "Internal error".
        """
        ...

    def stop(self, reason: StopReason) -> None:
        """Release what `start` opened. Also called for a job that never started."""
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
