"""Where the list of jobs is kept: the port, and the records that go through it.

A store knows nothing of what the texts in the records mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Change", "Completion", "JobRow", "JobStore", "OutputsChange", "Removal", "StatusChange"]


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in the list; written, it is a new one."""

    sequence: int  # order of submission; no two jobs have the same
    id: str
    type: str
    priority: int
    created: str  # ISO 8601, UTC
    state: str
    status: str  # JSON: progress, content, error, run time …
    outputs: str  # JSON: key -> name in the output store, type, file name
    payload: str | None  # JSON: what makes the job again
    position: str | None  # JSON: the keys of the payload that have changed since


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A job has changed its status, and may run (again)."""

    sequence: int
    state: str
    status: str
    position: str | None = None  # None leaves it as it is


@dataclass(frozen=True, slots=True)
class Completion:
    """A job succeeded and will not run again: its payload and its position are forgotten."""

    sequence: int
    state: str
    status: str
    outputs: str


@dataclass(frozen=True, slots=True)
class OutputsChange:
    """A job has lost some of its outputs."""

    sequence: int
    outputs: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A job is forgotten."""

    sequence: int


Change = JobRow | StatusChange | Completion | OutputsChange | Removal
"""What can be written. A change of a job that is not in the list does nothing."""


class JobStore(Protocol):
    """The list of jobs. Its methods are called from any thread."""

    def rows(self) -> Sequence[JobRow]:
        """Return all jobs in the order of their submission.

        Raises
        ------
        OrthancError
            11 if they cannot be read.
        """
        ...

    def row(self, sequence: int) -> JobRow | None:
        """Return one job, None if it is not in the list.

        Raises
        ------
        OrthancError
            11 if it cannot be read, 36 after `close`.
        """
        ...

    def write(self, change: Change) -> None:
        """Carry out a change; when this returns it survives a killed process.

        Raises
        ------
        OrthancError
            19 if there is no space left, 36 after `close`, 11 for any other failure: then nothing has changed.
        """
        ...

    def write_later(self, change: Change) -> None:
        """Carry out a change that nobody waits for together with the next one, or when the store is closed."""
        ...

    def close(self) -> None:
        """Write what is left to be written; later changes are refused. Does nothing the second time.

        Raises
        ------
        OrthancError
            If something cannot be written; it is closed all the same.
        """
        ...
