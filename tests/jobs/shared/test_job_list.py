"""The list in PostgreSQL does what the pure functions say, whatever the order of the acts."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orthanc_lab.jobs.machine import Effect, Event, Report, Status, advance
from orthanc_lab.jobs.postgresql.job_list import PostgresqlJobList
from orthanc_lab.jobs.rows import write_status
from orthanc_lab.jobs.shared import leases
from orthanc_lab.jobs.shared.leases import Book
from orthanc_lab.jobs.shared.records import JobMove, NewJob, SharedRow
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
from tests.waiting import until

KINDS = ("A", "B")
EVENTS = (Event.STEPPED, Event.FINISHED, Event.FAILED, Event.PAUSE, Event.CANCEL, Event.RESUME, Event.RESUBMIT)
ACTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 13)), min_size=5, max_size=30)


class Pair:
    """The same acts on the list and on the pure functions; epochs and jobs are told apart by their order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.list = PostgresqlJobList(database, 1000.0)
        self.book = Book()
        self.epochs: list[tuple[int, int]] = []  # of the list, of the book
        self.jobs: list[tuple[int, int]] = []  # sequences
        self.now = time.time()

    def act(self, kind: int, which: int, detail: int) -> None:
        match kind:
            case 0:
                self.register(f"server-{len(self.epochs)}")
            case 1 if self.epochs:
                self.insert(KINDS[detail % 2], *self.epochs[which % len(self.epochs)], bound=detail % 4 == 3)
            case 2 | 3 if self.epochs:
                self.claim(*self.epochs[which % len(self.epochs)], kinds=KINDS[: detail % 3])
            case 4 | 5 | 6 if self.jobs:
                self.write(*self.jobs[which % len(self.jobs)], EVENTS[detail % 7], stale=detail >= 7 and kind == 4)
            case 7 if self.epochs:
                self.end(*self.epochs[which % len(self.epochs)], gracefully=detail % 2 == 0)
            case 8 if self.epochs:
                mine, other = self.epochs[which % len(self.epochs)]
                self.book, kept = leases.renew(self.book, other, self.now, 1000.0)
                assert self.list.renew(mine, "") == kept

    def register(self, name: str) -> None:
        lease = self.list.register(name, name, "")
        self.book, other = leases.register(self.book, name, name, "", now=self.now, duration=1000.0)
        self.epochs.append((lease.epoch, other.epoch))

    def insert(self, kind: str, epoch: int, other: int, *, bound: bool) -> None:
        status = write_status(Status(content={"n": len(self.jobs)}, since=self.now))
        payload = None if bound else "{}"
        new = NewJob(f"job-{len(self.jobs)}", kind, len(self.jobs) % 3, "", status, self.now, payload, epoch)
        row = self.list.insert(new)
        self.book, twin = leases.insert(self.book, replace(new, epoch=other))
        assert row is not None
        self.jobs.append((row.sequence, twin.sequence))

    def claim(self, epoch: int, other: int, kinds: Sequence[str]) -> None:
        claimed = self.list.claim(epoch, kinds)
        self.book, twin = leases.claim(self.book, other, kinds, self.now)
        assert (claimed is None) == (twin is None)
        if claimed is not None:
            assert twin is not None
            assert claimed.row.id == twin.id

    def write(self, sequence: int, other: int, event: Event, *, stale: bool) -> None:
        row, twin = self.list.row(sequence), self.book.jobs.get(other)
        if row is None or twin is None:
            assert row is twin is None
            return
        state = JobState(twin.state)
        if event in (Event.STEPPED, Event.FINISHED, Event.FAILED) and state is not JobState.RUNNING:
            return
        moves = [self.move(known, event, stale=stale) for known in (row, twin)]
        if moves[0] is None or moves[1] is None:
            return
        written = self.list.write(moves[0])
        self.book, expected = leases.write(self.book, moves[1])
        assert (written is None) == (expected is None) == stale

    def move(self, row: SharedRow, event: Event, *, stale: bool) -> JobMove | None:
        report = Report(0.5, {"n": event.value})
        after, effects = advance(leases.status_of(row), event, leases.moment_of(self.now), report)
        if Effect.REFUSE in effects or not effects:
            return None
        return JobMove(
            row.sequence,
            row.version - stale,
            row.fence,
            after.state.value,
            write_status(after),
            after.since,
            queues=Effect.QUEUE in effects,
            ends=Effect.COMPLETE in effects,
            revives=Effect.REVIVE in effects,
        )

    def end(self, epoch: int, other: int, *, gracefully: bool) -> None:
        if gracefully:
            self.list.leave(epoch)
            self.book = leases.leave(self.book, other, self.now)
            return
        query = "UPDATE servers SET lease_until = now() - interval '1 s' WHERE epoch = %s"
        self.database.run(lambda connection: connection.execute(query, (epoch,)))
        self.list.end_leases()
        if (lease := self.book.leases.get(other)) is not None:
            ended = {**self.book.leases, other: replace(lease, until=self.now)}
            self.book = leases.end_leases(replace(self.book, leases=ended), self.now)

    def check(self) -> None:
        """Compare all rows, but for the numbers that the two give and the times that they read."""
        rows = {row.id: row for row in self.list.changes(None).rows}
        twins = {row.id: row for row in self.book.jobs.values()}
        epochs: dict[int | None, int | None] = {**dict(self.epochs), None: None}
        assert {id: self.shown(row, epochs) for id, row in rows.items()} == {
            id: self.shown(twin, {}) for id, twin in twins.items()
        }
        lines = [sorted(found.values(), key=lambda row: row.ticket) for found in (rows, twins)]
        assert [row.id for row in lines[0]] == [row.id for row in lines[1]]

    def shown(self, row: SharedRow, epochs: dict[int | None, int | None]) -> Any:
        status = leases.status_of(row)
        return (
            status.state,
            status.content,
            status.error_code,
            (status.pausing, status.canceling),
            row.version,
            row.fence,
            row.bound,
            epochs.get(row.epoch, row.epoch),
            epochs.get(row.holder, row.holder),
            row.claimed is None,
            row.lost_by,
            row.server,
        )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_it_does_what_the_functions_say(shared_database: Database, acts: list[tuple[int, int, int]]) -> None:
    check(shared_database, acts)


@pytest.mark.long
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_it_does_what_the_functions_say_in_many_cases(
    shared_database: Database, acts: list[tuple[int, int, int]]
) -> None:
    check(shared_database, acts)


def check(database: Database, acts: list[tuple[int, int, int]]) -> None:
    database.run(lambda connection: connection.execute("DELETE FROM jobs; DELETE FROM servers"))
    pair = Pair(database)
    for _ in range(2):
        pair.register(f"server-{len(pair.epochs)}")
    for act in acts:
        pair.act(*act)
        pair.check()


def test_changes_are_seen_once_they_are_committed(shared_database: Database) -> None:
    """Also those of a transaction that was begun before a look, and is committed after it."""
    shared_database.run(lambda connection: connection.execute("DELETE FROM jobs"))
    jobs = PostgresqlJobList(shared_database, 3.0)
    query = (
        "INSERT INTO jobs (id, type, created, state, status, priority, since, bound, holder)"
        " VALUES ('slow', '', '', '', '', 0, 0, false, 0)"
    )
    positions: list[int] = []

    def slow(connection: Any) -> None:
        connection.execute(query)
        jobs.insert(NewJob("quick", "", 0, "", "", 0, "{}", 0))
        seen = jobs.changes(None)
        assert [row.id for row in seen.rows] == ["quick"]
        positions.append(seen.position)

    shared_database.run(slow)
    assert "slow" in [row.id for row in jobs.changes(positions[-1]).rows]


@pytest.fixture
def empty(shared_database: Database) -> PostgresqlJobList:
    shared_database.run(lambda connection: connection.execute("TRUNCATE jobs, jobs_removed, servers, take_overs"))
    return PostgresqlJobList(shared_database, 1000.0)


def insert(jobs: PostgresqlJobList, id: str, epoch: int) -> SharedRow:
    row = jobs.insert(NewJob(id, "A", 0, "", write_status(Status()), 0, "{}", epoch))
    assert row is not None
    return row


def test_jobs_of_a_restored_database_are_read_once(empty: PostgresqlJobList, shared_database: Database) -> None:
    """Their transactions have numbers that this database has not come to yet."""
    epoch = empty.register("a", "a", "").epoch
    kept, gone = (insert(empty, id, epoch) for id in ("kept", "gone"))
    assert empty.remove(gone.sequence, gone.version)
    for query in (f"UPDATE {table} SET changed_by = '9999999999'" for table in ("jobs", "jobs_removed")):
        shared_database.run(lambda connection, query=query: connection.execute(query))  # type: ignore[misc]
    before = empty.changes(None).position
    assert empty.changes(before).rows == [kept]

    def is_quiet() -> bool:
        changes = empty.changes(empty.changes(None).position)
        return not changes.rows and not changes.gone

    empty.register("b", "b", "")
    until(is_quiet)
    news = empty.changes(before)
    assert ([row.id for row in news.rows], [one.id for one in news.gone]) == (["kept"], ["gone"])


def test_nothing_is_missed_after_a_crash(postgresql_server: PostgresqlServer, postgresql: PostgresqlDatabase) -> None:
    """PostgreSQL gives numbers again that transactions had which left no trace, and were seen before."""
    options = PostgresqlOptions.of_section({**postgresql.section, "MaximumConnectionRetries": 20, "Lock": False})
    with contextlib.closing(Database(options)) as one, contextlib.closing(Database(options)) as other:
        jobs, others = PostgresqlJobList(one, 1000.0), PostgresqlJobList(other, 1000.0)
        epoch = others.register("a", "a", "").epoch
        other.read(lambda connection: connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'"))
        other.fetch("SELECT pg_reload_conf()")
        try:
            for _ in range(50):
                with pytest.raises(OrthancError):
                    other.run(lambda connection: connection.execute("SELECT 1 / 0"))
            position = jobs.changes(jobs.changes(None).position).position
            postgresql_server.restart("immediate")
            insert(others, "new", epoch)
            for _ in range(60):
                other.run(lambda connection: connection.execute("SELECT"))
            assert [row.id for row in jobs.changes(position).rows] == ["new"]
            assert not jobs.changes(jobs.changes(position).position).rows
        finally:
            other.read(lambda connection: connection.execute("ALTER SYSTEM RESET wal_writer_delay"))
            other.fetch("SELECT pg_reload_conf()")


def test_what_was_stopped_in_a_pipeline_holds_nothing(empty: PostgresqlJobList, shared_database: Database) -> None:
    """Between two statements, where PostgreSQL takes it for busy."""
    epoch = empty.register("a", "a", "").epoch
    gate = threading.Event()
    tries: list[int] = []

    def hold(connection: Any) -> None:
        tries.append(1)
        connection.execute("SELECT pg_advisory_xact_lock(7)")
        assert gate.wait(60)

    def is_free() -> bool:
        query = "SELECT pg_try_advisory_xact_lock(7)"
        (free,) = shared_database.run(lambda connection: connection.execute(query).fetchall()[0])
        return bool(free)

    thread = threading.Thread(target=shared_database.run, args=(hold,), kwargs={"pipelined": True})
    thread.start()
    until(lambda: not is_free())
    until(lambda: empty.renew(epoch, "") and is_free())
    gate.set()
    thread.join()
    assert len(tries) == 2


def test_take_overs_are_counted_once(empty: PostgresqlJobList, shared_database: Database) -> None:
    """Also if the transaction that notes one is repeated."""
    epoch = empty.register("a", "a", "").epoch
    row = replace(insert(empty, "one", epoch), claimed=1.0, lost_by="b")
    empty.taken_over(row)
    shared_database.fetch("SELECT nextval(pg_get_serial_sequence('take_overs', 'number'))")  # as a repetition does
    empty.taken_over(row)
    assert empty.take_overs(10)[0] == 2


def test_a_server_that_restarts_within_its_lease_keeps_its_name(
    empty: PostgresqlJobList, shared_database: Database
) -> None:
    """Unlike another one that lives."""
    first = [empty.register(server, "Anna", "").name for server in ("a", "b", "a")]
    assert first == ["Anna", "Anna (2)", "Anna (3)"]
    query = "UPDATE servers SET lease_until = now() + interval '500 s'"  # half of it
    shared_database.run(lambda connection: connection.execute(query))
    assert [empty.register(server, "Anna", "").name for server in ("b", "a")] == ["Anna (2)", "Anna"]
