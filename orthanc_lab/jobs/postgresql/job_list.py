"""The list of jobs that servers share, in PostgreSQL: each act of `orthanc_lab.jobs.shared.leases` as a transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import count
from typing import Any

from orthanc_lab.jobs.postgresql import statements
from orthanc_lab.jobs.postgresql.tables import ROOM, STEPS
from orthanc_lab.jobs.shared.leases import taken_away
from orthanc_lab.jobs.shared.records import Changes, Gone, JobMove, Lease, NewJob, Payload, SharedRow
from orthanc_lab.jobs.shared.store import LOOK, READY, Claimed, Dropped, Heard
from orthanc_lab.postgresql.acting import Guard, act_under, acting_under, current_guard
from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.listening import Listening, notify
from orthanc_lab.postgresql.ownership import END_STALLED
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.protocol.cluster import ClusterServer, TakeOver
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState

__all__ = ["PostgresqlJobList"]

_CHANNEL = "orthanc_lab_jobs"
_TAKING_AWAY = 0x6F6C6A01  # advisory lock: one server at a time looks after the leases of the others
_FINAL = frozenset(state.value for state in JobState if state.is_final)
_UNRENEWED = 0.6  # of a lease is left of that of a server which renews it no more
_TAKE_OVERS = 1000  # that are kept


class PostgresqlJobList:
    """`orthanc_lab.jobs.shared.store.SharedJobStore` in the tables `jobs` and `servers`.

    Parameters
    ----------
    duration
        How long a lease lasts, seconds.
    alone
        No other server may use the database: whoever had a lease is gone.
    """

    def __init__(self, database: Database, duration: float, *, alone: bool = False) -> None:
        self._database = database
        self._duration = duration
        self._alone = alone
        self._listening: Listening | None = None
        self._looked = 0.0  # monotonic: the beginning of the last look
        database.run(lambda connection: migrate(connection, ROOM, STEPS))

    # -- leases --------------------------------------------------------------------

    def register(self, server: str, name: str, address: str) -> Lease:
        """Let a server in; if it is alone, without those that were there before.

        A name that another server has gets a number.
        """

        def operation(connection: Connection) -> tuple[Any, ...]:
            if self._alone:
                connection.execute("UPDATE servers SET ended_at = clock_timestamp() WHERE ended_at IS NULL")
                _take_away(connection)
            connection.execute("DELETE FROM servers WHERE ended_at < clock_timestamp() - interval '1 day'")
            for changed_again in statements.CHANGED_AGAIN:
                connection.execute(changed_again)
            others = connection.execute(statements.OTHER_NAMES, (server, _UNRENEWED * self._duration))
            taken = {taken for (taken,) in others}
            names = (name if number == 1 else f"{name} ({number})" for number in count(1))
            return _one(
                connection,
                "INSERT INTO servers (server, name, address, lease_until)"
                " VALUES (%s, %s, %s, clock_timestamp() + %s * interval '1 second')"
                " RETURNING epoch, name, extract(epoch FROM lease_until)::double precision",
                (server, next(one for one in names if one not in taken), address, self._duration),
            )

        epoch, shown, until = self._database.run(operation, guards=())
        return Lease(epoch, server, shown, address, until)

    def renew(self, epoch: int, address: str) -> bool:
        """Make the lease of a server last; no longer than it lasts is waited for that.

        What a server that was stopped in the middle of a pipeline holds locked is let go.
        """

        def operation(connection: Connection) -> bool:
            cursor = connection.execute(
                "UPDATE servers SET lease_until = clock_timestamp() + %s * interval '1 second', address = %s"
                " WHERE epoch = %s AND ended_at IS NULL RETURNING true",
                (self._duration, address, epoch),
            )
            connection.execute(END_STALLED)
            return cursor.fetchone() is not None

        return self._database.run(operation, guards=(), pipelined=True, within=self._duration)

    def end_leases(self, spared: int | None = None) -> Sequence[SharedRow]:
        """End the leases that were not renewed in time, but for a spared one, if no other server is about to do so."""
        values = {"spared": spared or 0}  # epochs begin with 1

        def operation(connection: Connection) -> list[SharedRow]:
            (is_my_turn,) = _one(connection, "SELECT pg_try_advisory_xact_lock(%s)", (_TAKING_AWAY,))
            if not is_my_turn:
                return []
            connection.execute(statements.END_LEASES, values)
            rows = _take_away(connection)
            if rows:
                notify(connection, _CHANNEL, READY)
            return rows

        (has_some,) = self._database.read(
            lambda connection: connection.execute(statements.HAS_ENDED, values).fetchall()[0], within=self._duration
        )
        return self._database.run(operation, guards=(), within=self._duration) if has_some else []

    def leave(self, epoch: int) -> None:
        """End the lease of a server that stops, and hand its jobs over."""

        def operation(connection: Connection) -> None:
            connection.execute("DELETE FROM servers WHERE epoch = %s", (epoch,))
            _take_away(connection)
            notify(connection, _CHANNEL, READY)

        self._database.run(operation, guards=(), within=self._duration)

    def clear(self, epoch: int) -> bool:
        """Forget all jobs, unless there are other servers."""

        def operation(connection: Connection) -> bool:
            connection.execute("LOCK TABLE servers IN SHARE ROW EXCLUSIVE MODE")
            connection.execute(statements.END_LEASES, {"spared": epoch})
            query = "SELECT EXISTS (SELECT FROM servers WHERE epoch <> %s AND ended_at IS NULL)"
            if _one(connection, query, (epoch,))[0]:
                return False
            connection.execute("DELETE FROM jobs")
            return True

        return self._database.run(operation, guards=())

    def servers(self) -> Sequence[ClusterServer]:
        """Return the servers, also those whose leases ended a moment ago; without the jobs that they run."""
        found = self._database.fetch(statements.SERVERS)
        return [
            ClusterServer(server, name, epoch, address, remaining, running=(), is_self=False)
            for server, name, epoch, address, remaining in found
        ]

    # -- jobs ----------------------------------------------------------------------

    def insert(self, new: NewJob) -> SharedRow | None:
        """Take a new job in; None if there is one by its id already."""
        bound = new.payload is None
        values = (
            new.id,
            new.type,
            new.priority,
            new.created,
            new.status,
            new.since,
            new.epoch if bound else None,
            bound,
            new.epoch,
            new.epoch if new.awaited else None,
            new.payload,
        )

        def operation(connection: Connection) -> SharedRow | None:
            if new.announced:
                notify(connection, _CHANNEL, READY)
            return _row(connection.execute(statements.INSERT, values).fetchone())

        return self._database.run(operation, pipelined=True)  # a job may submit others, as long as it is run here

    def claim(self, epoch: int, kinds: Collection[str]) -> Claimed | None:
        """Claim the job whose turn it is.

        One statement, and not the three of a transaction whose outcome is known for sure: when the answer is lost, the
        server finds the job in the list (`Mirror.stranded`) and gives it back.
        """
        values = {"epoch": epoch, "kinds": list(kinds)}

        def operation(connection: Connection) -> Claimed | None:
            columns = connection.execute(statements.CLAIM, values).fetchone()
            if columns is None:
                return None
            *row, is_elsewhere, payload, position = columns
            return Claimed(SharedRow(*row), Payload(payload, position) if is_elsewhere else None)

        return self._database.read(operation)

    def write(self, move: JobMove) -> SharedRow | None:
        """Carry a move out; None if the job is not as it was when that was decided."""
        values = {
            "sequence": move.sequence,
            "version": move.version,
            "fence": move.fence,
            "state": move.state,
            "status": move.status,
            "since": move.since,
            "position": move.position,
            "outputs": move.outputs,
            "queues": move.queues,
            "ends": move.ends,
            "revives": int(move.revives),
        }

        def operation(connection: Connection) -> SharedRow | None:
            if move.announced:
                notify(connection, _CHANNEL, READY)
            for epoch in move.looks:
                notify(connection, _CHANNEL, f"{LOOK} {epoch}")
            return _row(connection.execute(statements.WRITE, values).fetchone())

        return self._database.run(operation, guards=_guards_about(move.sequence), pipelined=True)

    def remove(self, sequence: int, version: int) -> bool:
        """Forget a job; False if it is not as it was when that was decided."""

        def operation(connection: Connection) -> bool:
            connection.execute(statements.FORGET)
            return connection.execute(statements.REMOVE, (sequence, version)).fetchone() is not None

        return self._database.run(operation, guards=_guards_about(sequence), pipelined=True)

    def row(self, sequence: int) -> SharedRow | None:
        """Return a job, None if it is gone."""
        found = self._database.fetch(statements.ROW, (sequence,))
        return _row(found[0] if found else None)

    def payload(self, sequence: int) -> Payload | None:
        """Return what makes a job again, None if the job is gone."""
        found = self._database.fetch("SELECT payload, position FROM jobs WHERE sequence = %s", (sequence,))
        return Payload(*found[0]) if found else None

    def changes(self, position: int | None) -> Changes:
        """Return what the transactions have changed that were not finished at the last look."""
        began = time.monotonic()

        def look(connection: Connection) -> tuple[bool, list[tuple[Any, ...]]]:
            # After a crash, PostgreSQL may give numbers of transactions again that were seen before. And another
            # database may have been restored in its place.
            whole = position is None or connection.opened > self._looked
            found = connection.execute(statements.CHANGES, ("0" if whole else str(position),) * 2).fetchall()
            return whole, found

        whole, found = self._database.read(look)
        self._looked = began
        now = found[0][0]
        rows = [SharedRow(*columns) for _, gone, *columns in found if gone is False]
        gone = [_gone(columns) for _, gone, *columns in found if gone]
        return Changes(now, rows, () if position is None else gone, complete=whole)

    def trim_history(self, size: int) -> Sequence[Dropped]:
        """Forget the jobs that ended first, until so many ended ones are left."""

        def operation(connection: Connection) -> list[Dropped]:
            connection.execute(statements.FORGET)
            gone = connection.execute(statements.TRIM_HISTORY, (size,)).fetchall()
            return [Dropped(id, outputs, None) for id, outputs in gone]

        return self._database.run(operation, guards=(), pipelined=True)

    def trim_outputs(self, limit: int) -> Sequence[Dropped]:
        """Take their outputs from the jobs whose outputs were used least recently, until so many jobs have some."""

        def operation(connection: Connection) -> list[Dropped]:
            rows = connection.execute(statements.TRIM_OUTPUTS, (limit,)).fetchall()
            return [_dropped(columns) for columns in rows]

        return self._database.run(operation, guards=(), pipelined=True)

    def used(self, sequence: int) -> None:
        """Note that an output of a job was used."""

        def operation(connection: Connection) -> None:
            connection.execute("UPDATE jobs SET used = nextval('job_numbers') WHERE sequence = %s", (sequence,))

        self._database.run(operation, guards=(), pipelined=True)

    # -- take-overs ----------------------------------------------------------------

    def take_overs(self, limit: int) -> tuple[int, Sequence[TakeOver]]:
        """Return how many jobs went on at another server, and the last of them, the oldest first."""
        found = self._database.fetch(
            "SELECT number, job, lost_by, taken_by, at, seconds FROM take_overs ORDER BY number DESC LIMIT %s", (limit,)
        )
        count = found[0][0] if found else 0
        taken = [
            TakeOver(job, lost_by, taken_by, datetime.fromtimestamp(at, UTC), seconds)
            for _, job, lost_by, taken_by, at, seconds in reversed(found)
        ]
        return count, taken

    def taken_over(self, row: SharedRow) -> None:
        """Note that a job which another server had lost goes on at the one that has claimed it."""
        assert row.claimed is not None
        seconds = row.claimed - (row.lost_at or row.claimed)
        values = (row.id, row.lost_by, row.server or "", row.claimed, max(0.0, seconds))

        def operation(connection: Connection) -> None:
            connection.execute("LOCK TABLE take_overs IN SHARE ROW EXCLUSIVE MODE")  # the last number is their count
            connection.execute(
                "INSERT INTO take_overs (number, job, lost_by, taken_by, at, seconds) OVERRIDING SYSTEM VALUE"
                " SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s FROM take_overs",
                values,
            )
            connection.execute(
                "DELETE FROM take_overs WHERE number <= (SELECT max(number) FROM take_overs) - %s", (_TAKE_OVERS,)
            )

        self._database.run(operation, guards=(), pipelined=True)

    # -- acting and listening ------------------------------------------------------

    def act_for(self, row: SharedRow | None) -> None:
        """Let the calling thread write on behalf of a job, as long as that is not claimed or taken away."""
        act_under(None if row is None else _guard(row.sequence, row.fence))

    def acting_for(self, sequence: int, fence: int) -> AbstractContextManager[None]:
        """Let the calling thread write on behalf of a job within a ``with`` block, as long as it has this fence."""
        return acting_under(_guard(sequence, fence))

    def listen(self, heard: Heard) -> None:
        """Call `heard`, from another thread, with what servers say from now on."""
        self._listening = Listening(self._database, [_CHANNEL], lambda channel, text: heard(text))

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.close()


def _one(connection: Connection, query: str, parameters: Sequence[object] = ()) -> tuple[Any, ...]:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row


def _row(columns: tuple[Any, ...] | None) -> SharedRow | None:
    return None if columns is None else SharedRow(*columns)


def _gone(columns: Sequence[Any]) -> Gone:
    row = SharedRow(*columns)
    return Gone(row.sequence, row.id, row.state, row.status, row.since)


def _dropped(columns: Sequence[Any]) -> Dropped:
    *row, outputs = columns
    return Dropped(row[1], outputs, SharedRow(*row))


def _guard(sequence: int, fence: int) -> Guard:
    query = "SELECT FROM jobs WHERE sequence = %s AND fence = %s FOR SHARE"
    return Guard(query, (sequence, fence), _refusal)


def _guards_about(sequence: int) -> Sequence[Guard]:
    """Return what a command to another job holds to, if a job gives it; for its own moves, their fence is enough."""
    guard = current_guard()
    return () if guard is None or guard.parameters[0] == sequence else (guard,)


def _refusal() -> OrthancError:
    return OrthancError(ErrorCode.CANCELED_JOB, "Another server runs this job now")


def _take_away(connection: Connection) -> list[SharedRow]:
    """Take the jobs away from servers that have no lease; return those that wait now."""
    (now,) = _one(connection, statements.TIME)
    waiting = []
    for *columns, lost_by, lost_at in connection.execute(statements.ORPHANS).fetchall():
        row = SharedRow(*columns)
        after = taken_away(row, now, lost_by, lost_at)
        if after is None:
            query = statements.REMOVE
            connection.execute(query, (row.sequence, row.version))
        elif after.fence == row.fence:
            connection.execute(statements.UNBIND, (row.sequence,))
        else:
            ends = after.state in _FINAL
            values = (after.state, after.status, after.since, after.lost_by, after.lost_at, ends, row.sequence)
            written = _row(connection.execute(statements.TAKE_AWAY, values).fetchone())
            assert written is not None
            waiting.append(written)
    return waiting
