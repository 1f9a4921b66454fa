"""Opening a storage whose index is on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType

from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.late_files import LateFiles
from orthanc_lab.storage.files.names import uuid_of
from orthanc_lab.storage.indexed_storage import IndexedStorage
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.index import PostgresqlIndex
from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql_files.journal import GRACE, DatabaseJournal, Sweeping

__all__ = ["open_shared_storage", "storage_journal"]

_ROOM = "storage"


def open_shared_storage(
    database: Database,
    area: FileArea,
    *,
    places: Mapping[str, FileArea] = MappingProxyType({}),
    is_elsewhere: bool = False,
    grace: float = GRACE,
    options: StorageOptions,
    clock: Clock,
    executor: Executor,
    identifiers: Identifiers,
    metrics: Metrics,
) -> Storage:
    """Open the storage whose index is in a database; the database stays open when it is closed.

    Parameters
    ----------
    area
        Where the large files are, for all servers that share the database.
    places
        The areas that it is made of, if files can be moved between them, by their names.
    is_elsewhere
        Whether they are on no disk of this network: what comes from there is checked, and may be late.
    grace
        Seconds after which files that a dead server has left are removed by another one.

    Raises
    ------
    OrthancError
        18 if a newer version of this program has changed the tables, 36 if the database is away.
    """
    with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
        index = PostgresqlIndex(database)
        opened.callback(index.close)
        journal = storage_journal(database)
        opened.callback(journal.close)
        files = AttachmentFiles(
            area,
            journal,
            options=options,
            clock=clock,
            executor=executor,
            identifiers=identifiers,
            metrics=metrics,
            read_small=index.small_file,
            late=LateFiles(clock, lambda uuid: bool(index.known_files([uuid]))) if is_elsewhere else None,
        )
        opened.callback(files.close)
        opened.callback(Sweeping(journal, area.remove, executor, grace).close)
        return IndexedStorage(
            index,
            files,
            opened,
            places=places,
            options=options,
            clock=clock,
            executor=executor,
            identifiers=identifiers,
            metrics=metrics,
        )


def storage_journal(database: Database) -> DatabaseJournal:
    """Return the journal of the files of the storage."""
    return DatabaseJournal(database, _ROOM, _known)


def _known(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return those of the names of files that attachments refer to."""
    uuids = [uuid_of(name) for name in names]
    known = {uuid for (uuid,) in connection.execute(SQL["known_files"], (uuids,)).fetchall()}
    return {name for name in names if uuid_of(name) in known}
