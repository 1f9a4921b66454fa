"""Transactions that survive collisions, lost connections and commits of which nobody knows the outcome."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from orthanc_lab.postgresql.acting import Guard
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.listening import Listening, notify
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from tests.postgresql.conftest import quick_options
from tests.postgresql.guards import acting
from tests.waiting import until

Connection = psycopg.Connection[Any]
PIPELINED = pytest.mark.parametrize("pipelined", [False, True], ids=["plain", "pipelined"])


@pytest.fixture
def table(database: Database) -> str:
    def make(connection: Connection) -> None:
        connection.execute("DROP TABLE IF EXISTS things")
        connection.execute("CREATE TABLE things (name text PRIMARY KEY)")

    database.run(make)
    return "things"


def names(database: Database) -> list[str]:
    return sorted(name for (name,) in database.fetch("SELECT name FROM things"))


def adding(name: str, then: Callable[[Connection], None] = lambda connection: None) -> Callable[[Connection], str]:
    def add(connection: Connection) -> str:
        connection.execute("INSERT INTO things VALUES (%s)", (name,))
        then(connection)
        return name

    return add


@pytest.mark.usefixtures("table")
@PIPELINED
def test_all_or_nothing(database: Database, pipelined: bool) -> None:
    def fail(connection: Connection) -> None:
        raise ValueError

    assert database.run(adding("a"), pipelined=pipelined) == "a"
    with pytest.raises(ValueError):  # noqa: PT011
        database.run(adding("b", fail), pipelined=pipelined)
    with pytest.raises(OrthancError, match="duplicate key") as caught:
        database.run(adding("a"), pipelined=pipelined)
    assert caught.value.code == ErrorCode.DATABASE
    assert database.run(adding("c"), pipelined=pipelined) == "c"
    assert names(database) == ["a", "c"]


@pytest.mark.usefixtures("table")
@PIPELINED
def test_an_error_that_was_disregarded_is_none_the_less(database: Database, pipelined: bool) -> None:
    def disregard(connection: Connection) -> None:
        with contextlib.suppress(psycopg.Error):
            connection.execute("INSERT INTO things VALUES (NULL)").fetchall()

    with pytest.raises(OrthancError):
        database.run(adding("a", disregard), pipelined=pipelined)
    assert names(database) == []


@pytest.mark.usefixtures("table")
@PIPELINED
def test_a_collision_is_repeated(database: Database, pipelined: bool) -> None:
    tries: list[int] = []

    def collide(connection: Connection) -> None:
        tries.append(1)
        if len(tries) < 3:
            connection.execute("DO $$BEGIN RAISE SQLSTATE '40001'; END$$")

    database.run(adding("a", collide), pipelined=pipelined)
    assert len(tries) == 3
    assert names(database) == ["a"]


@pytest.mark.usefixtures("table")
def test_what_always_collides_comes_to_an_end(shared_database: PostgresqlDatabase) -> None:
    database = Database(quick_options(shared_database, retries=2))
    with pytest.raises(OrthancError) as caught:
        database.run(lambda connection: connection.execute("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$"))
    assert caught.value.code == ErrorCode.DATABASE_CANNOT_SERIALIZE
    database.close()


@pytest.mark.usefixtures("table")
@PIPELINED
@pytest.mark.parametrize("within", [None, 60.0])
def test_a_lost_connection_is_replaced(database: Database, pipelined: bool, within: float | None) -> None:
    tries: list[int] = []

    def lose(connection: Connection) -> None:
        tries.append(1)
        if len(tries) == 1:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())").fetchall()

    assert database.run(adding("a", lose), pipelined=pipelined, within=within) == "a"
    assert len(tries) == 2
    assert names(database) == ["a"]


@pytest.mark.usefixtures("table")
@PIPELINED
def test_connections_may_be_lost_more_often_than_one_tries_to_connect(
    shared_database: PostgresqlDatabase, pipelined: bool
) -> None:
    """A transaction is ended if its thread gets no processor for a while: no fault of anybody, and nobody is told."""
    database = Database(quick_options(shared_database, retries=0))
    tries: list[int] = []

    def lose(connection: Connection) -> None:
        tries.append(1)
        if len(tries) < 5:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())").fetchall()

    assert database.run(adding("a", lose), pipelined=pipelined) == "a"
    assert len(tries) == 5
    assert names(database) == ["a"]
    database.close()


@pytest.mark.usefixtures("table")
@PIPELINED
def test_who_is_stopped_in_a_transaction_holds_nobody_up(database: Database, pipelined: bool) -> None:
    database.run(adding("a"))
    held, gate = threading.Event(), threading.Event()
    tries: list[int] = []

    def change(connection: Connection) -> None:
        tries.append(1)
        connection.execute("SET idle_in_transaction_session_timeout = 100")
        assert connection.execute("UPDATE things SET name = name || 'b' RETURNING name").fetchone() is not None
        held.set()
        assert gate.wait(60)

    thread = threading.Thread(target=database.run, args=(change,), kwargs={"pipelined": pipelined})
    thread.start()
    assert held.wait(20)
    database.run(lambda connection: connection.execute("UPDATE things SET name = name || 'c'"))
    gate.set()
    thread.join()
    assert names(database) == ["acb"]
    assert len(tries) == 2


@pytest.mark.usefixtures("table")
@PIPELINED
def test_a_guard_that_is_gone_refuses_the_commit(database: Database, pipelined: bool) -> None:
    database.run(adding("the fence"))
    guard = Guard("SELECT 1 FROM things WHERE name = %s FOR SHARE", ("the fence",), lambda: OrthancError(37))
    with acting(guard):
        database.run(adding("a"), pipelined=pipelined)
        database.run(lambda connection: connection.execute("DELETE FROM things WHERE name = 'the fence'"), guards=())
        with pytest.raises(OrthancError) as caught:
            database.run(adding("b"), pipelined=pipelined)
    assert caught.value.code == 37
    database.run(adding("c"), pipelined=pipelined)
    assert names(database) == ["a", "c"]


def test_nobody_waits_for_himself(shared_database: PostgresqlDatabase) -> None:
    database = Database(quick_options(shared_database, connections=1))
    assert database.run(lambda _: database.read(lambda _: database.fetch("SELECT 1"))) == [(1,)]
    database.close()
    with pytest.raises(OrthancError, match="closed"):
        database.fetch("SELECT 1")


def test_connections_are_shared(shared_database: PostgresqlDatabase) -> None:
    database = Database(quick_options(shared_database, connections=2))
    pids: set[int] = set()

    def look() -> None:
        for _ in range(5):
            pids.update(pid for (pid,) in database.fetch("SELECT pg_backend_pid()"))

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(pids) <= 2
    database.close()


def test_the_schema_is_made_step_by_step_and_a_newer_one_is_refused(database: Database) -> None:
    first, second = "CREATE TABLE steps (a integer)", "ALTER TABLE steps ADD b integer"
    database.run(lambda connection: migrate(connection, "steps", [first]))
    database.run(lambda connection: migrate(connection, "steps", [first, second]))
    database.run(lambda connection: migrate(connection, "steps", [first, second]))
    assert database.fetch("SELECT a, b FROM steps") == []
    with pytest.raises(OrthancError, match="have version 2, expected 1") as caught:
        database.run(lambda connection: migrate(connection, "steps", [first]))
    assert caught.value.code == ErrorCode.INCOMPATIBLE_DATABASE_VERSION


def test_notifications_come_with_the_commit(database: Database) -> None:
    heard: list[tuple[str, str]] = []
    listening = Listening(database, ["a", "b"], lambda channel, text: heard.append((channel, text)), pause=0.01)
    until(lambda: heard == [("", "")])
    database.run(lambda connection: notify(connection, "b", "text"))
    until(lambda: ("b", "text") in heard)
    database.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')")
    until(lambda: heard.count(("", "")) == 2)
    database.run(lambda connection: notify(connection, "a"))
    until(lambda: ("a", "") in heard)
    listening.close()


def test_only_one_server_where_the_lock_says_so(shared_database: PostgresqlDatabase) -> None:
    options = quick_options(shared_database, lock=True, retries=0)
    first = Database(options)
    with pytest.raises(OrthancError) as caught:
        Database(options)
    assert caught.value.code == ErrorCode.DATABASE
    first.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert first.fetch("SELECT 1") == [(1,)]
    first.close()
    Database(options).close()


def test_a_server_that_is_started_again_waits_for_the_lock_of_the_one_before(
    shared_database: PostgresqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL may hear of its end a moment later."""
    options = quick_options(shared_database, lock=True, retries=0)
    before = Database(options)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(Database, options)
        before.fetch("SELECT pg_sleep(0.2)")
        before.close()
        started.result().close()
    assert caplog.records == []


def test_the_lock_is_lost_with_its_connection_alone(
    shared_database: PostgresqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Another server may have been faster: then the first one does nothing any more."""
    options = quick_options(shared_database, lock=True, retries=0)
    first, admin = Database(options), Database(quick_options(shared_database))
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )

    def is_refused() -> bool:
        try:
            first.fetch("SELECT 1")
        except OrthancError as error:
            return error.code == ErrorCode.DATABASE
        return False

    def takes_the_lock() -> Database | None:
        try:
            return Database(options)
        except OrthancError:
            return None

    admin.fetch(end)
    second = until(takes_the_lock)
    caplog.clear()
    until(is_refused)
    assert is_refused()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert second.fetch("SELECT 1") == [(1,)]
    second.close()
    assert not is_refused()  # it is the only one again
    for database in (first, admin):
        database.close()


def test_a_database_that_is_away(shared_database: PostgresqlDatabase) -> None:
    options = quick_options(shared_database, port=1, retries=3, retry_interval=0.05)
    with pytest.raises(OrthancError) as caught:
        Database(options)
    assert caught.value.code == ErrorCode.DATABASE_UNAVAILABLE


def test_who_waits_for_a_database_goes_by_the_clock(shared_database: PostgresqlDatabase) -> None:
    """Three hours of the clock pass in no time; without them it would still wait."""

    class Quick(ManualClock):
        def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
            assert moment is not None
            self.advance(moment - self.monotonic())

    options = quick_options(shared_database, port=1, retries=3, retry_interval=3600.0)
    clock = Quick()
    with pytest.raises(OrthancError) as caught:
        Database(options, clock=clock)
    assert caught.value.code == ErrorCode.DATABASE_UNAVAILABLE
    assert clock.monotonic() == 3 * 3600


def test_what_is_urgent_waits_for_nobody(shared_database: PostgresqlDatabase) -> None:
    """A lease is renewed although all connections are in use for longer than it lasts."""
    database = Database(quick_options(shared_database, connections=1))
    entered, gate = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        entered.set()
        assert gate.wait(20)

    thread = threading.Thread(target=database.read, args=(hold,))
    thread.start()
    assert entered.wait(20)
    numbers: list[int] = []

    def ask() -> None:
        query = "SELECT 1"
        numbers.append(database.run(lambda connection: connection.execute(query).rowcount, within=10))

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(15)
    assert numbers == [1]
    gate.set()
    thread.join()
    database.close()
