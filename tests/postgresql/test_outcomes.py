"""A commit of which nobody has heard: its outcome is found out, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
from tests.postgresql.conftest import quick_options
from tests.postgresql.proxy import Fault, Proxy

HURRY = 1.5  # seconds: a busy machine answers sooner
COMMITTED = (Fault.CUT_AFTER, Fault.STALL_AFTER)


@pytest.fixture
def proxy(shared_database: PostgresqlDatabase) -> Iterator[Proxy]:
    with Proxy(quick_options(shared_database)) as proxy:
        yield proxy


@pytest.fixture
def database(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("orthanc_lab.postgresql.database.LONGEST", 0.4)  # seconds for an answer
    database = Database(proxy.options)
    database.run(lambda connection: connection.execute("CREATE TABLE IF NOT EXISTS counted (id serial)"))
    database.run(lambda connection: connection.execute("DELETE FROM counted"))
    yield database
    database.close()


class Counting:
    """Adds a row, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, connection: psycopg.Connection[Any]) -> str:
        self.tries += 1
        connection.execute("INSERT INTO counted DEFAULT VALUES")
        return "done"


@pytest.mark.parametrize("pipelined", [False, True], ids=["plain", "pipelined"])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE], ids=lambda fault: fault.name)
def test_it_happens_once(database: Database, proxy: Proxy, fault: Fault, pipelined: bool) -> None:
    count = Counting()
    proxy.fault = fault
    assert database.run(count, pipelined=pipelined) == "done"
    assert proxy.fault is Fault.NONE  # it has happened
    assert database.fetch("SELECT count(*) FROM counted") == [(1,)]
    assert count.tries == (1 if fault in COMMITTED else 2)


@pytest.mark.parametrize("fault", [Fault.STALL_BEFORE, Fault.STALL_AFTER], ids=lambda fault: fault.name)
def test_who_is_in_a_hurry_gets_an_answer_too(
    database: Database, proxy: Proxy, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orthanc_lab.postgresql.database.LONGEST", 60)
    proxy.fault = fault
    count = Counting()
    if fault in COMMITTED:
        assert database.run(count, within=HURRY) == "done"
    else:
        with pytest.raises(OrthancError) as caught:
            database.run(count, within=HURRY)
        assert caught.value.code == ErrorCode.DATABASE_UNAVAILABLE
    assert count.tries == 1


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=lambda fault: fault.name)
def test_a_connection_that_is_lost_at_the_start_is_replaced(proxy: Proxy, fault: Fault) -> None:
    proxy.fault = fault
    database = Database(proxy.options)
    assert proxy.fault is Fault.NONE
    assert database.fetch("SELECT count(*) FROM versions") == [(0,)]
    database.close()


def test_connections_that_were_cut_are_replaced(database: Database, proxy: Proxy) -> None:
    assert database.run(Counting()) == "done"
    proxy.cut()
    assert database.fetch("SELECT count(*) FROM counted") == [(1,)]
    proxy.cut()
    assert database.run(Counting()) == "done"
    assert database.fetch("SELECT count(*) FROM counted") == [(2,)]


def test_a_crash_of_the_database(postgresql_server: PostgresqlServer, postgresql: PostgresqlDatabase) -> None:
    database = Database(quick_options(postgresql, retries=200))
    database.run(lambda connection: connection.execute("CREATE TABLE counted (id serial)"))
    count = Counting()

    def crash(connection: psycopg.Connection[Any]) -> None:
        count(connection)
        if count.tries == 1:
            postgresql_server.restart("immediate")

    database.run(crash)
    assert count.tries == 2
    assert database.fetch("SELECT count(*) FROM counted") == [(1,)]
    database.close()
