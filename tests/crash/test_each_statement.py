"""Each statement of a server on PostgreSQL, and each call to its files, fails once: before or after it took effect.

What was answered well is there as a whole, what was answered with an error is there as a whole or not at all; then no
file and no name of one is left that the database does not need.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

import orthanc_lab
from orthanc_lab.jobs.postgresql.outputs import PostgresqlOutputs
from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.postgresql.opening import storage_journal
from orthanc_lab.storage.postgresql_files.journal import Sweeping
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer, execute
from tests.crash.test_each_call import OPERATIONS, OPTIONS, PREPARED, STEPWISE, House, State, has_failed_in_words
from tests.storage.conftest import files_in

_FAULTS = ("cut before", "cut after", "canceled", "full", "collision")
_ERRORS = {
    "canceled": psycopg.errors.QueryCanceled,
    "full": psycopg.errors.DiskFull,
    "collision": psycopg.errors.SerializationFailure,
}
_USUAL = ("a large file", "an attachment that replaces one", "a large archive")
_SHARE, _LONG_SHARE = 12, 5  # of so many statements, one is tried
Origin = tuple[Path, PostgresqlDatabase]


class SharedHouse(House):
    """Starts servers on copies of a folder and a database."""

    def __init__(self, folder: Path, postgresql: PostgresqlServer) -> None:
        super().__init__(folder, {})
        self._postgresql = postgresql
        self.database = postgresql.create_database()
        self.fault = ""

    def server(self) -> InProcessServer:
        section = {**self.database.section, "MaximumConnectionRetries": 3, "ConnectionRetryInterval": 0}
        options = {**self._options, "PostgreSQL": section}
        return orthanc_lab.in_process(
            options, folder=self.folder, executor="inline", clock=self._clock, faults=self.calls
        )

    def copy(self, origin: Origin) -> InProcessServer:
        folder, database = origin
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(folder, self.folder)
        self._postgresql.drop_database(self.database)
        make = f'CREATE DATABASE "{self.database.name}" TEMPLATE "{database.name}"'
        execute(self.database.uri.replace(self.database.name, "postgres"), make)
        return self.server()

    def close(self) -> None:
        self._postgresql.drop_database(self.database)

    def state(self, server: InProcessServer) -> State:
        """Return all that was stored; time passes where a job is claimed again, and what becomes stable then."""
        found = super().state(server)
        found["changes"] = {change for change in found["changes"] if not change[0].name.startswith("STABLE")}
        return found

    def check_after_a_start(self, expected: State) -> None:
        """Start again, and see that nothing is lost and, once all that dead servers left was swept, nothing left."""
        server = self.server()
        assert self.state(server) == expected
        server.stop()
        with closing(Database(PostgresqlOptions.of_section(self.database.section))) as database:
            executor, area = InlineExecutor(ManualClock()), DiskArea(self.folder)
            with closing(storage_journal(database)) as journal:
                sweeping = Sweeping(journal, area.remove, executor, grace=1e-9)
                executor.run()
                sweeping.close()
            outputs = PostgresqlOutputs(database, area, SystemIdentifiers(), self._clock)
            outputs.drop_orphans("0 seconds")
            database.run(lambda connection: connection.execute("UPDATE output_trash SET due = now() - interval '1 s'"))
            outputs.empty_trash()
            needed = database.fetch("SELECT uuid FROM files UNION ALL SELECT key FROM output_parts WHERE key <> ''")
            assert files_in(self.folder) == sorted(name for (name,) in needed)
            assert database.fetch("SELECT name FROM file_journal") == []

    def execute(self, connection: Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        """Execute a statement, unless it is the one that fails."""
        statement = str(query)
        if "ROLLBACK" in statement or not self.calls.fails(statement):
            return _execute(connection, query, *arguments, **named)
        if self.fault in _ERRORS:
            raise _ERRORS[self.fault]
        if self.fault == "cut after":
            _execute(connection, query, *arguments, **named)
            if connection.current_pipeline is not None:
                connection.current_pipeline.sync()
        with socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        raise psycopg.OperationalError(self.fault)


_execute = Connection.execute


@pytest.fixture(scope="module")
def origin(postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    house = SharedHouse(tmp_path_factory.mktemp("origin") / "storage", postgresql_server)
    server = house.server()
    for operation in PREPARED:
        assert operation(server).ok
    server.stop()
    yield house.folder, house.database
    house.close()


@pytest.fixture
def house(
    tmp_path: Path, postgresql_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SharedHouse]:
    house = SharedHouse(tmp_path / "storage", postgresql_server)

    def checked(connection: Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        return house.execute(connection, query, *arguments, **named)

    monkeypatch.setattr(Connection, "execute", checked)
    monkeypatch.setattr("orthanc_lab.postgresql.database._PAUSE", 0)  # the time stands still meanwhile
    yield house
    house.close()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param(name, fault, marks=[] if name in _USUAL and fault in _FAULTS[:2] else pytest.mark.long)
        for name in OPERATIONS
        if name not in (*OPTIONS, *STEPWISE)  # who waits for a job waits for a time that stands still here
        for fault in _FAULTS
    ],
)
def test_a_statement_fails(
    house: SharedHouse, origin: Origin, name: str, fault: str, pytestconfig: pytest.Config
) -> None:
    calls, operation = house.calls, OPERATIONS[name]
    server = house.copy(origin)
    before = house.state(server)
    with calls:
        assert operation(server).ok
    after, number = house.state(server), len(calls.made)
    server.stop()
    house.fault, calls.error = fault, errno.ENOSPC if fault == "full" else errno.EIO
    for first in range(_FAULTS.index(fault), number, _LONG_SHARE if pytestconfig.option.long else _SHARE):
        server = house.copy(origin)
        calls.failing = [first]
        with calls:
            answer = operation(server)
            where = f"{first}: {calls.made[first : first + 1]}"
        now = house.state(server)
        may_be_undone = has_failed_in_words(server, answer)
        assert now == after or (may_be_undone and now == before), where
        if now != after:
            assert operation(server).ok, where
            assert house.state(server) == after, where
        server.stop()
        house.check_after_a_start(after)
