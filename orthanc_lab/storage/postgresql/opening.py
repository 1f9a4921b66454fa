"""Opening a storage whose index is on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack

from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.journal import FileJournal
from orthanc_lab.storage.indexed_storage import IndexedStorage
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.index import PostgresqlIndex

__all__ = ["open_shared_storage"]


def open_shared_storage(
    database: Database,
    area: FileArea,
    journal: FileJournal,
    *,
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
    journal
        What remembers files that the index does not refer to; it is closed with the storage.

    Raises
    ------
    OrthancError
        18 if a newer version of this program has changed the tables, 36 if the database is away.
    """
    with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
        opened.callback(journal.close)
        index = PostgresqlIndex(database)
        opened.callback(index.close)
        files = AttachmentFiles(
            area,
            journal,
            options=options,
            clock=clock,
            executor=executor,
            identifiers=identifiers,
            metrics=metrics,
            read_small=index.small_file,
        )
        opened.callback(files.close)
        return IndexedStorage(
            index,
            files,
            opened,
            options=options,
            clock=clock,
            executor=executor,
            identifiers=identifiers,
            metrics=metrics,
        )
