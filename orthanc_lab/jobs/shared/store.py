"""The list of jobs that servers share: the port. `leases` says what each of its statements does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from orthanc_lab.jobs.shared.records import (
    Changes,
    JobMove,
    Lease,
    NewJob,
    Payload,
    SharedRow,
)
from orthanc_lab.protocol.cluster import ClusterServer, TakeOver

__all__ = ["LOOK", "READY", "Claimed", "Dropped", "Heard", "SharedJobStore"]

READY = "ready"
"""Said to all servers: there is a job to run."""

LOOK = "look"
"""Said to one server, with its epoch behind a space: a job that concerns it has changed."""

Heard = Callable[[str], None]
"""Called with what another server says; an empty text if something may have been missed."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that a server has claimed."""

    row: SharedRow
    payload: Payload | None  # None if the job was in the memory of this server before


@dataclass(frozen=True, slots=True)
class Dropped:
    """A job that has lost its outputs, or its place in the list."""

    id: str
    outputs: str  # what they were
    row: SharedRow | None  # None if the job is gone


class SharedJobStore(Protocol):
    """The list of jobs, safe to use from many threads. Each call is one indivisible act on it.

    Any of them raises `OrthancError`: 36 if the list cannot be reached, 11 for other failures.
    """

    def register(self, server: str, name: str, address: str) -> Lease:
        """Let a server in."""
        ...

    def renew(self, epoch: int, address: str) -> bool:
        """Make the lease of a server last; False if it was ended, and its jobs were taken away."""
        ...

    def end_leases(self, spared: int | None = None) -> Sequence[SharedRow]:
        """End the leases that were not renewed in time; return the jobs that wait for another server now.

        Parameters
        ----------
        spared
            The epoch of a lease that is not ended: that of the server itself, which is late with its renewal.
        """
        ...

    def leave(self, epoch: int) -> None:
        """End the lease of a server that stops, and hand its jobs over."""
        ...

    def clear(self, epoch: int) -> bool:
        """Forget all jobs; False if there are other servers, whose jobs they may be."""
        ...

    def insert(self, new: NewJob) -> SharedRow | None:
        """Take a new job in; None if there is one by its id already."""
        ...

    def claim(self, epoch: int, kinds: Collection[str]) -> Claimed | None:
        """Claim the job whose turn it is; None if there is none that this server can run, or its lease has ended."""
        ...

    def write(self, move: JobMove) -> SharedRow | None:
        """Carry a move out; None if the job is not as it was when that was decided. Durable when it returns."""
        ...

    def remove(self, sequence: int, version: int) -> bool:
        """Forget a job; False if it is not as it was when that was decided."""
        ...

    def row(self, sequence: int) -> SharedRow | None:
        """Return a job, None if it is gone."""
        ...

    def payload(self, sequence: int) -> Payload | None:
        """Return what makes a job again, None if the job is gone."""
        ...

    def changes(self, position: int | None) -> Changes:
        """Return what was changed since a position: at least all that was acknowledged before the call.

        Parameters
        ----------
        position
            What the last look returned; None for all jobs.
        """
        ...

    def trim_history(self, size: int) -> Sequence[Dropped]:
        """Forget the jobs that ended first, until so many ended ones are left."""
        ...

    def trim_outputs(self, limit: int) -> Sequence[Dropped]:
        """Take their outputs from the jobs whose outputs were used least recently, until so many jobs have some."""
        ...

    def used(self, sequence: int) -> None:
        """Note that an output of a job was used."""
        ...

    def servers(self) -> Sequence[ClusterServer]:
        """Return the servers, also those whose leases ended a moment ago; without the jobs that they run."""
        ...

    def take_overs(self, limit: int) -> tuple[int, Sequence[TakeOver]]:
        """Return how many jobs went on at another server, and the last of them, the oldest first."""
        ...

    def taken_over(self, row: SharedRow) -> None:
        """Note that a job which another server had lost goes on at the one that has claimed it."""
        ...

    def act_for(self, row: SharedRow | None) -> None:
        """Let the calling thread write on behalf of a job, while that is not claimed or taken away; None ends it."""
        ...

    def acting_for(self, sequence: int, fence: int) -> AbstractContextManager[None]:
        """As `act_for`, within a ``with`` block, on behalf of a job as it is known by its fence."""
        ...

    def listen(self, heard: Heard) -> None:
        """Call `heard`, from another thread, with what servers say from now on."""
        ...

    def close(self) -> None:
        """Listen no more."""
        ...
