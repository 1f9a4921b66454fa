"""What goes between a server and the list of jobs that it shares with others.

Times are seconds since 1970 by the clock of the database, if not said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "Changes",
    "Gone",
    "JobMove",
    "Lease",
    "NewJob",
    "Payload",
    "SharedRow",
]


@dataclass(frozen=True, slots=True)
class Lease:
    """A server may run jobs until a moment; whoever finds that moment passed takes its jobs over."""

    epoch: int  # of this registration: a server that comes back has another one
    server: str  # its identifier
    name: str
    address: str
    until: float


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is submitted."""

    id: str
    type: str
    priority: int
    created: str  # ISO 8601, UTC
    status: str  # JSON, as `write_status` makes it
    since: float  # by the clock of the server
    payload: str | None  # JSON: what makes the job again; None if only the server that submits it can run it
    epoch: int  # of the server that submits it
    awaited: bool = False  # a caller waits for its end, at that server
    announced: bool = True  # other servers are told that there is something to do


@dataclass(frozen=True, slots=True)
class SharedRow:
    """A job in the list. Each write raises its `version`; what was decided from an older one is refused."""

    sequence: int  # order of submission
    id: str
    type: str
    priority: int
    created: str  # ISO 8601, UTC
    state: str
    status: str  # JSON: progress, content, error, run time …
    outputs: str  # JSON: key -> name in the output store, type, file name
    since: float  # when it got this status, by the clock of the server that wrote it
    version: int
    fence: int  # raised by each claim, and whenever the one that had the job before must not write any more
    ticket: int  # its place among those of its priority
    epoch: int | None  # of the server that runs it, or that alone can
    bound: bool  # whether only that server can run it
    holder: int  # the epoch of the server that has it in its memory
    awaited: int | None  # the epoch of the server at which a caller waits
    server: str | None = None  # the name of the one that ran it last
    claimed: float | None = None  # when it was claimed, if its status was not written since
    lost_by: str | None = None  # the name of the server whose lease ended while it ran this job
    lost_at: float | None = None  # when that lease ended


@dataclass(frozen=True, slots=True)
class Payload:
    """What makes a job again."""

    payload: str | None
    position: str | None  # JSON: the keys of the payload that have changed since


@dataclass(frozen=True, slots=True)
class JobMove:
    """The next status of a job, decided from one version of its row."""

    sequence: int
    version: int  # of the row from which it was decided
    fence: int
    state: str
    status: str
    since: float
    position: str | None = None  # None leaves it as it is
    outputs: str | None = None  # None leaves them as they are
    queues: bool = False  # it waits for a worker, behind all others of its priority
    ends: bool = False  # it enters the history
    revives: bool = False  # it leaves the history, and begins anew
    announced: bool = False  # other servers are told that there is something to do
    looks: Sequence[int] = ()  # the epochs of servers that are told to look at once


@dataclass(frozen=True, slots=True)
class Gone:
    """A job that was removed from the list."""

    sequence: int
    id: str
    state: str
    status: str  # empty if nobody waits for the end of the job
    since: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed in the list since a position."""

    position: int  # where the next look begins
    rows: Sequence[SharedRow] = ()
    gone: Sequence[Gone] = ()
    complete: bool = False  # these are all jobs: what is not among them is gone
