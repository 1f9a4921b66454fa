"""The states of a job, as the field ``State`` names them."""

from __future__ import annotations

from enum import Enum

__all__ = ["JobState"]


class JobState(Enum):
    """State of a job in the jobs engine (Orthanc Book, "Advanced features of the REST API")."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESS = "Success"
    FAILURE = "Failure"
    PAUSED = "Paused"
    RETRY = "Retry"

    __hash__ = object.__hash__  # that of Enum is written in Python, and six times as slow

    @property
    def is_final(self) -> bool:
        """True for Success and Failure: the job has ended and is in the history."""
        return self in (JobState.SUCCESS, JobState.FAILURE)
