"""The index on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Generic, TypeVar

from orthanc_lab.postgresql.acting import Guard, current_guard
from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.protocol.group_commit import GroupCommit
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.index import Operation
from orthanc_lab.storage.postgresql.known import Known
from orthanc_lab.storage.postgresql.log_queries import LogQueries
from orthanc_lab.storage.postgresql.pending import Pending
from orthanc_lab.storage.postgresql.resource_queries import ResourceQueries
from orthanc_lab.storage.postgresql.statements import MIGRATIONS, ROOM, SQL
from orthanc_lab.storage.postgresql.text import bindable, read_json
from orthanc_lab.storage.postgresql.totals import Totals, totals_row
from orthanc_lab.storage.postgresql.transaction import PostgresqlTransaction
from orthanc_lab.storage.transaction import Transaction

__all__ = ["PostgresqlIndex"]

T = TypeVar("T")


class _Work(Generic[T]):
    __slots__ = ("about", "guard", "operation", "result")

    def __init__(
        self, operation: Callable[[PostgresqlTransaction], T], about: Collection[tuple[Level, str]], guard: Guard | None
    ) -> None:
        self.operation = operation
        self.about = about
        self.guard = guard
        self.result: T


class PostgresqlIndex(ResourceQueries, LogQueries):
    """`orthanc_lab.storage.index.Index` in a database that several servers share.

    Operations that come together in one server share a transaction, which begins by taking the lock of the index: so
    one server writes at a time, totals and the numbers of changes are right, and in the order of the commits. What the
    operations look at comes with the lock, what they write goes with the commit: two round trips.

    Raises
    ------
    OrthancError
        18 if a newer version of this program has changed the tables.
    """

    is_shared = True

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        database.run(lambda connection: migrate(connection, ROOM, MIGRATIONS))
        self._group: GroupCommit[_Work[Any]] = GroupCommit(self._commit)

    @property
    def waiting(self) -> int:
        """How many operations wait for the next commit."""
        return self._group.waiting

    def run(self, operation: Callable[[Transaction], T], about: Collection[tuple[Level, str]] = ()) -> T:
        """Run an operation in a transaction; it may run more than once."""
        self._check_open()
        work = _Work(operation, about, current_guard())
        self._group.run(work)
        return work.result

    def run_each(self, operations: Sequence[Operation[T]]) -> list[T | BaseException]:
        """Run operations, each for itself, in as few transactions as possible."""
        self._check_open()
        works = [_Work(operation, about, current_guard()) for operation, about in operations]
        errors = self._group.run_each(works)
        return [work.result if error is None else error for work, error in zip(works, errors, strict=True)]

    def _commit(self, group: list[_Work[Any]]) -> None:
        guards = list(dict.fromkeys(work.guard for work in group if work.guard is not None))
        self._database.run(
            lambda connection: _carry_out(connection, group), guards=guards, pipelined=True, notes_outcome=True
        )


def _carry_out(connection: Connection, group: list[_Work[Any]]) -> None:
    """Run the operations of a group on a connection in pipeline mode."""
    known, pending = Known(), Pending(connection)
    about = {(level.depth, id) for work in group for level, id in work.about}
    levels, ids = [depth for depth, _ in about], bindable(id for _, id in about)
    row = connection.execute(SQL["begin"], (*connection.outcome, levels or None, ids or None)).fetchone()
    assert row is not None
    before, rows = row
    if rows is not None:
        rows = read_json(rows)
    known.learn(about, rows or ())
    totals = Totals(*before)
    for work in group:
        work.result = work.operation(PostgresqlTransaction(connection, totals, known, pending))
    after = totals_row(totals)
    pending.flush(after if list(after) != before else None)
