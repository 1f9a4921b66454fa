from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.postgresql.job_list import PostgresqlJobList
from orthanc_lab.jobs.postgresql.outputs import PostgresqlOutputs
from orthanc_lab.jobs.shared.keeper import ServerIdentity
from orthanc_lab.jobs.shared.shared_jobs import SharedJobs
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.jobs.doubles import RESTORES

LEASE = 1.0  # seconds, where a test waits for its end; a server that is not stopped may lose it on a busy machine


class Freezable:
    """A shared list as a server sees it that can be stopped: each statement waits until it goes on."""

    def __init__(self, store: PostgresqlJobList) -> None:
        self._store = store
        self._goes_on = threading.Event()
        self._answers_come = threading.Event()
        self.thaw()

    def freeze(self) -> None:
        self._goes_on.clear()

    def hold_answers(self) -> None:
        """Carry out what is asked for, and answer once it is thawed."""
        self._answers_come.clear()

    def thaw(self) -> None:
        self._goes_on.set()
        self._answers_come.set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name == "close":
            return found

        def call(*values: Any, **named: Any) -> Any:
            self._goes_on.wait()
            answer = found(*values, **named)
            self._answers_come.wait()
            return answer

        return call


class Pieces(PostgresqlOutputs):
    """Outputs in which each write is a part, however small."""

    grain = 0  # type: ignore[assignment] # a property there


class Server:
    """A jobs engine with its own connections, as one of several processes would have."""

    def __init__(
        self, options: PostgresqlOptions, folder: Path, name: str, *, lease: float = 3.0, **settings: Any
    ) -> None:
        clock = SystemClock()
        self.name = name
        self.errors: list[BaseException] = []
        self.database = Database(options, name)
        self.list = Freezable(PostgresqlJobList(self.database, lease))
        self.outputs = Pieces(self.database, DiskArea(folder / "pieces"), SystemIdentifiers(), clock)
        self.engine = SharedJobs(
            self.list,  # type: ignore[arg-type] # hands all on
            self.outputs,
            clock,
            SystemIdentifiers(),
            ThreadExecutor(clock),
            identity=ServerIdentity(f"id-{name}", name),
            lease_duration=lease,
            **{"restores": RESTORES, "concurrent_jobs": 1, "on_error": self.errors.append, **settings},
        )

    def stop(self) -> None:
        self.list.thaw()
        self.engine.stop(timeout=0.1)  # a test may leave a job at its gate
        self.database.close()


class Servers:
    """Makes servers on one database, and stops them all at the end."""

    def __init__(self, options: PostgresqlOptions, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self.made: list[Server] = []

    def __call__(self, name: str = "", *, start: bool = True, **settings: Any) -> Server:
        server = Server(self._options, self._folder, name or f"server-{len(self.made)}", **settings)
        self.made.append(server)
        if start:
            server.engine.start()
        return server


@pytest.fixture(scope="module")
def shared_database(postgresql_server: PostgresqlServer) -> Iterator[Database]:
    """One database for all tests of a module."""
    made = postgresql_server.create_database()
    patience = {"MaximumConnectionRetries": 3, "ConnectionRetryInterval": 1}
    options = PostgresqlOptions.of_section({**made.section, **patience})
    database = Database(options)
    PostgresqlJobList(database, LEASE)
    yield database
    database.close()
    postgresql_server.drop_database(made)


@pytest.fixture
def servers(shared_database: Database, tmp_path: Path) -> Iterator[Servers]:
    """Makes servers on an empty list."""
    shared_database.run(
        lambda connection: connection.execute(
            "TRUNCATE jobs, jobs_removed, servers, take_overs, output_parts, output_trash"
        )
    )
    made = Servers(shared_database.options, tmp_path)
    yield made
    for server in made.made:
        server.stop()
