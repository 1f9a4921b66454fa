"""The tools of these tests: lines that fail, servers that are killed and frozen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from orthanc_lab.testing.cluster import DatabaseProxy
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase


@pytest.fixture
def proxy(postgresql: PostgresqlDatabase) -> Iterator[DatabaseProxy]:
    with psycopg.connect(postgresql.uri) as connection:
        connection.execute("CREATE TABLE numbers (number integer)")
    with DatabaseProxy(postgresql.host, postgresql.port, seed=7) as proxy:
        yield proxy


def through(proxy: DatabaseProxy, database: PostgresqlDatabase) -> psycopg.Connection[Any]:
    return psycopg.connect(database.uri, port=proxy.port)


def numbers(database: PostgresqlDatabase) -> set[int]:
    with psycopg.connect(database.uri) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM numbers")}


def add(connection: psycopg.Connection[Any], number: int) -> None:
    with connection:
        connection.execute("INSERT INTO numbers VALUES (%s)", (number,))


def test_a_commit_is_lost_or_only_its_answer(proxy: DatabaseProxy, postgresql: PostgresqlDatabase) -> None:
    add(through(proxy, postgresql), 1)
    proxy.lose(answers=1.0)
    with pytest.raises(psycopg.OperationalError):
        add(through(proxy, postgresql), 2)
    proxy.lose(commits=1.0)
    with pytest.raises(psycopg.OperationalError):
        add(through(proxy, postgresql), 3)
    assert (proxy.lost_answers, proxy.lost_commits) == (1, 1)
    assert numbers(postgresql) == {1, 2}


def test_the_seed_decides(proxy: DatabaseProxy, postgresql: PostgresqlDatabase) -> None:
    proxy.lose(commits=0.5)
    for number in range(20):
        try:
            add(through(proxy, postgresql), number)
        except psycopg.OperationalError:
            continue
    assert len(numbers(postgresql)) == 20 - proxy.lost_commits
    assert 3 < proxy.lost_commits < 17


def test_a_line_is_cut_refused_and_stalls(proxy: DatabaseProxy, postgresql: PostgresqlDatabase) -> None:
    connection = through(proxy, postgresql)
    assert proxy.cut() == 1
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    proxy.refuse()
    with pytest.raises(psycopg.OperationalError):
        through(proxy, postgresql)
    proxy.go_on()
    connection = through(proxy, postgresql)
    proxy.stall()
    answered = threading.Event()

    def ask() -> None:
        connection.execute("SELECT 1")
        answered.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert not answered.wait(0.1)
    proxy.go_on()
    assert answered.wait(10)
    asking.join()
    connection.close()
