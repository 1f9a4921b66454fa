"""Servers on PostgreSQL as the ends of a migration; the source is read on connections that cannot write."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from orthanc_lab.jobs.postgresql.moved_jobs import MovedJobs, has_list, running_servers
from orthanc_lab.jobs.postgresql.outputs import PostgresqlOutputs
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.back_ends.file_places import bucket_options, open_file_place
from orthanc_lab.server.migration.source import MigrationSource, OpenSource
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.postgresql.handover import PostgresqlHandover
from orthanc_lab.storage.postgresql_files.area import DatabaseArea

__all__ = ["check_idle", "database_name", "exclusive_options", "open_shared_source"]


def exclusive_options(settings: CheckedSettings) -> PostgresqlOptions:
    """Return how a database is reached that no server with ``Lock`` may use meanwhile, nor another migration."""
    return replace(PostgresqlOptions.of_section(settings["PostgreSQL"]), lock=True)


def database_name(database: Database) -> str:
    """Return what identifies a database, wherever it is reached from."""
    query = "SELECT system_identifier::text, current_database() FROM pg_control_system()"
    return hashlib.sha1("/".join(database.fetch(query)[0]).encode(), usedforsecurity=False).hexdigest()


def check_idle(database: Database) -> None:
    """Refuse a database with which servers work.

    Raises
    ------
    SourceError
        With their names.
    """
    names = running_servers(database)
    if names:
        raise SourceError(f"Servers run on this database ({', '.join(names)}): stop them, then migrate again")


@contextmanager
def open_shared_source(settings: CheckedSettings) -> Iterator[OpenSource]:
    """Open the database with these settings to read it.

    Raises
    ------
    SourceError
        If servers run on it.
    OrthancError
        36 if it cannot be reached, 11 if a server has locked it, 18 if another version of this program wrote it.
    """
    with ExitStack() as opened:
        database = Database(exclusive_options(settings), "orthanc-lab migrate", read_only=True)
        opened.callback(database.close)
        check_idle(database)
        table = DatabaseArea(database) if database.options.enable_storage else None
        folder, clock = Path(settings["StorageDirectory"]), SystemClock()
        files = open_file_place(folder, bucket_options(settings), clock, table, is_written=False)
        yield OpenSource(
            database_name(database),
            MigrationSource(PostgresqlHandover(database), files.area),
            lambda: MovedJobs(database).rows() if has_list(database) else (),
            lambda: PostgresqlOutputs(database, files.area, SystemIdentifiers(), clock),
        )
