"""A database for all tests of a module; each has tables of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer


@pytest.fixture(scope="module")
def shared_database(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    database = postgresql_server.create_database()
    yield database
    postgresql_server.drop_database(database)


def quick_options(database: PostgresqlDatabase, **changes: object) -> PostgresqlOptions:
    """Return options with which nobody waits long."""
    options = PostgresqlOptions.of_section(database.section)
    return replace(options, **{"retries": 20, "retry_interval": 0.05, **changes})  # type: ignore[arg-type]


@pytest.fixture
def database(shared_database: PostgresqlDatabase) -> Iterator[Database]:
    database = Database(quick_options(shared_database))
    yield database
    database.close()
