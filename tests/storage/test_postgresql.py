"""The storage on PostgreSQL: the contract, and what several servers may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.files.journal import FileJournal
from orthanc_lab.storage.files.log_file import DiskLog
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage
from orthanc_lab.testing.contracts.storage import StorageContract, storage_machine
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.examples import examples

_TABLES = ("resources", "small_files", "files", "labels", "changes", "exports", "properties", "counters")


class Shared:
    """The storages of one database; each test has a folder of its own, and finds it empty."""

    def __init__(self) -> None:
        self.database: Database
        self._folder: Path | None = None
        self._journals = 0

    def open(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        folder.mkdir(parents=True, exist_ok=True)
        if folder != self._folder and self._folder is not None:
            self._empty()
        self._folder = folder
        self._journals += 1
        return open_shared_storage(
            self.database,
            DiskArea(folder),
            FileJournal(DiskLog(folder / f"files-{self._journals}.journal")),
            options=options,
            clock=clock,
            executor=ThreadExecutor(clock),
            identifiers=SystemIdentifiers(),
            metrics=NoMetrics(),
        )

    def _empty(self) -> None:
        columns = self.database.fetch(
            "SELECT string_agg(attname || ' = 0', ', ') FROM pg_attribute"
            " WHERE attrelid = 'totals'::regclass AND attnum > 0"
        )
        text = "".join(f"DELETE FROM {table};" for table in _TABLES) + f"UPDATE totals SET {columns[0][0]};"
        self.database.run(lambda connection: connection.execute(text.encode()))


SHARED = Shared()


@pytest.fixture(scope="module", autouse=True)
def shared(postgresql_server: PostgresqlServer) -> Iterator[Shared]:
    database = postgresql_server.create_database()
    SHARED.database = Database(PostgresqlOptions.of_section(database.section))
    yield SHARED
    SHARED.database.close()
    postgresql_server.drop_database(database)


class TestPostgresql(StorageContract):
    """The contract, on PostgreSQL and files."""

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        return SHARED.open(folder, options, clock)


TestModel = storage_machine(SHARED.open).TestCase
TestModel.settings = settings(examples(5), stateful_step_count=20, deadline=None)
