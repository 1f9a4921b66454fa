"""Which server runs which job, as pure functions over records.

A server has a lease, which it renews; a job that runs belongs to the lease of its server. Whoever finds a lease ended
takes the jobs away from it. The server need not know: its lease may have ended while it was stopped, and what it wrote
may arrive late. So a claim raises the fence of a job, taking it away does too, and every write names the fence and the
version that it was decided from: one that is not of the present is refused.

The functions say what each statement on a shared list does, as one indivisible act. A back end does the same with its
own means; `now` is its clock, never that of a server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from orthanc_lab.jobs.machine import Effect, Event, Moment, Status, advance
from orthanc_lab.jobs.rows import read_status, write_status
from orthanc_lab.jobs.shared.records import Gone, JobMove, Lease, NewJob, SharedRow
from orthanc_lab.protocol.errors import ErrorCode
from orthanc_lab.protocol.jobs import JobState

__all__ = [
    "Book",
    "claim",
    "end_leases",
    "end_of",
    "hand_over",
    "insert",
    "leave",
    "moment_of",
    "register",
    "released",
    "renew",
    "status_of",
    "taken_away",
    "write",
]


@dataclass(frozen=True, slots=True)
class Book:
    """All that servers share about jobs."""

    leases: Mapping[int, Lease] = field(default_factory=dict)  # by epoch
    jobs: Mapping[int, SharedRow] = field(default_factory=dict)  # by sequence
    numbers: int = 0  # how many sequences, tickets and epochs were given out


def moment_of(now: float) -> Moment:
    """Return a time of the database as the state machine takes it."""
    return Moment(datetime.fromtimestamp(now, UTC), now)


def status_of(row: SharedRow) -> Status:
    """Return the status of a job; that of one which was just claimed follows from what it was before.

    One that cannot be read is a failure.
    """
    state = row.state if row.claimed is None else JobState.PENDING.value
    try:
        status = replace(read_status(state, row.status), since=row.since)
    except (ValueError, KeyError, TypeError):
        return _unreadable(row)
    if row.claimed is not None:
        status, _ = advance(status, Event.PICKED, moment_of(max(row.claimed, row.since)))
    return status


def end_of(gone: Gone) -> Status | None:
    """Return the last status of a job that was removed, if that is known, and one that it had ended with."""
    try:
        status = replace(read_status(gone.state, gone.status), since=gone.since)
    except (ValueError, KeyError, TypeError):
        return None
    return status if status.state.is_final else None


def _unreadable(row: SharedRow) -> Status:
    return Status(
        state=JobState.FAILURE,
        error_code=int(ErrorCode.CORRUPTED_FILE),
        error_details="The saved status of this job cannot be read",
        since=row.since,
        completion_time=moment_of(row.since).utc,
    )


def register(book: Book, server: str, name: str, address: str, *, now: float, duration: float) -> tuple[Book, Lease]:
    """Let a server in, with a lease of its own. One that it had before ends by itself."""
    epoch = book.numbers + 1
    lease = Lease(epoch, server, name, address, now + duration)
    return replace(book, leases={**book.leases, epoch: lease}, numbers=epoch), lease


def renew(book: Book, epoch: int, now: float, duration: float) -> tuple[Book, bool]:
    """Make a lease last from now; False if it was ended."""
    lease = book.leases.get(epoch)
    if lease is None:
        return book, False
    return replace(book, leases={**book.leases, epoch: replace(lease, until=now + duration)}), True


def insert(book: Book, new: NewJob) -> tuple[Book, SharedRow]:
    """Take a new job in."""
    number = book.numbers + 1
    bound = new.payload is None
    row = SharedRow(
        sequence=number,
        id=new.id,
        type=new.type,
        priority=new.priority,
        created=new.created,
        state=JobState.PENDING.value,
        status=new.status,
        outputs="{}",
        since=new.since,
        version=1,
        fence=0,
        ticket=number,
        epoch=new.epoch if bound else None,
        bound=bound,
        holder=new.epoch,
        awaited=new.epoch if new.awaited else None,
    )
    return replace(book, jobs={**book.jobs, number: row}, numbers=number), row


def claim(book: Book, epoch: int, kinds: Collection[str], now: float) -> tuple[Book, SharedRow | None]:
    """Give the server the job whose turn it is, of those that it can run; None if there is none, or its lease ended."""
    lease = book.leases.get(epoch)
    if lease is None or lease.until <= now:
        return book, None
    waiting = [row for row in book.jobs.values() if row.state == JobState.PENDING.value and _runs_at(row, epoch, kinds)]
    if not waiting:
        return book, None
    row = min(waiting, key=lambda row: (-row.priority, row.ticket))
    running = JobState.RUNNING.value
    row = replace(
        row,
        state=running,
        epoch=epoch,
        holder=epoch,
        server=lease.name,
        fence=row.fence + 1,
        version=row.version + 1,
        claimed=now,
    )
    return _with_job(book, row), row


def _runs_at(row: SharedRow, epoch: int, kinds: Collection[str]) -> bool:
    return row.epoch == epoch if row.bound else row.holder == epoch or row.type in kinds


def write(book: Book, move: JobMove) -> tuple[Book, SharedRow | None]:
    """Carry a move out; None if the row is not the one from which it was decided, and nothing has changed."""
    row = book.jobs.get(move.sequence)
    if row is None or row.version != move.version or row.fence != move.fence:
        return book, None
    number = book.numbers + move.queues
    row = replace(
        row,
        state=move.state,
        status=move.status,
        since=move.since,
        outputs=row.outputs if move.outputs is None else move.outputs,
        version=row.version + 1,
        fence=row.fence + move.revives,
        ticket=number if move.queues else row.ticket,
        epoch=row.epoch if row.bound or move.state == JobState.RUNNING.value else None,
        claimed=None,
        lost_by=None,
        lost_at=None,
    )
    return replace(_with_job(book, row), numbers=number), row


def end_leases(book: Book, now: float, spared: int | None = None) -> Book:
    """End the leases that were not renewed in time, but for a spared one, and take their jobs away from them."""
    alive = {epoch: lease for epoch, lease in book.leases.items() if lease.until > now or epoch == spared}
    return _without(book, alive, lambda row: _name_of(book, row.epoch), now)


def leave(book: Book, epoch: int, now: float) -> Book:
    """End the lease of a server that stops, and hand its jobs over at once."""
    alive = {other: lease for other, lease in book.leases.items() if other != epoch}
    return _without(book, alive, lambda row: None, now)


def _without(book: Book, alive: Mapping[int, Lease], lost_by: Callable[[SharedRow], str | None], now: float) -> Book:
    jobs = dict(book.jobs)
    for row in book.jobs.values():
        if row.epoch is None or row.epoch in alive:
            continue
        lease = book.leases.get(row.epoch)
        after = taken_away(row, now, lost_by(row), lease.until if lease is not None else now)
        if after is None:
            del jobs[row.sequence]
        else:
            jobs[row.sequence] = after
    return replace(book, leases=alive, jobs=jobs)


def _name_of(book: Book, epoch: int | None) -> str:
    lease = book.leases.get(epoch or 0)
    return "" if lease is None else lease.name


def taken_away(
    row: SharedRow, now: float, lost_by: str | None = None, lost_at: float | None = None
) -> SharedRow | None:
    """Return the row of a job whose server is gone, as the state machine restores it; None if it goes with its server.

    Parameters
    ----------
    lost_by
        The name of a server whose lease ended; None for one that stopped and hands the job over.
    """
    status = status_of(row)
    if row.bound and not status.state.is_final:
        return None
    if row.bound:
        return replace(row, epoch=None, version=row.version + 1)
    return hand_over(row, status, now, lost_by, lost_at)


def released(status: Status, at: Moment) -> tuple[Status, tuple[Effect, ...]]:
    """Return the status in which a job waits for the next server, with the effects, once its own one is gone."""
    return advance(status, Event.RESTORED, at)


def hand_over(
    row: SharedRow, status: Status, now: float, lost_by: str | None = None, lost_at: float | None = None
) -> SharedRow:
    """Return the row of a job that another server is to go on with."""
    after, effects = released(status, moment_of(max(now, status.since)))
    waits = Effect.QUEUE in effects
    return replace(
        row,
        state=after.state.value,
        status=write_status(after),
        since=after.since,
        version=row.version + 1,
        fence=row.fence + 1,
        epoch=None,
        claimed=None,
        lost_by=lost_by if waits else None,
        lost_at=lost_at if waits and lost_by is not None else None,
    )


def _with_job(book: Book, row: SharedRow) -> Book:
    return replace(book, jobs={**book.jobs, row.sequence: row})
