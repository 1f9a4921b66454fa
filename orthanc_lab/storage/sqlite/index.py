"""The index on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.log_file import DiskLog, OpenLog
from orthanc_lab.storage.index import Operation
from orthanc_lab.storage.records import ResourceStatistics, Statistics
from orthanc_lab.storage.sqlite.connections import Connect, Readers, connect, index_error, open_writer
from orthanc_lab.storage.sqlite.json_text import bindable
from orthanc_lab.storage.sqlite.log_queries import LogQueries
from orthanc_lab.storage.sqlite.resource_queries import ResourceQueries
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Writer
from orthanc_lab.storage.transaction import Transaction

__all__ = ["SqliteIndex"]

T = TypeVar("T")


class SqliteIndex(ResourceQueries, LogQueries):
    """`orthanc_lab.storage.index.Index` in one file, with one owner.

    Parameters
    ----------
    path
        The file; a new one gets its tables.
    sync
        Small files are on the disk when `run` returns. If not, they survive the end of the process only.
    connect
        Opens a connection to the file; the first one is the one that writes.
    open_log
        Opens the write-ahead log of SQLite.

    Raises
    ------
    OrthancError
        18 if the index was written by another version of this program, 11 if the file is not an index; 14 or 19 if the
        disk fails.
    """

    def __init__(
        self, path: Path, *, sync: bool = True, connect: Connect = connect, open_log: OpenLog = DiskLog
    ) -> None:
        with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
            connection = open_writer(path, connect)
            opened.callback(connection.close)
            super().__init__(Readers(path, connect))
            # SQLite holds no locks on this file (they are on the index and its -shm), so none is lost by closing it.
            log = open_log(path.with_name(f"{path.name}-wal")) if sync else None
            if log is not None:
                opened.callback(log.close)
            try:
                self._writer = Writer(connection, log)
            except sqlite3.Error as error:
                raise index_error(error, shown=f" {path}") from error
            opened.pop_all()

    is_shared = False

    def run(self, operation: Callable[[Transaction], T], about: Collection[tuple[Level, str]] = ()) -> T:
        """Run an operation in a transaction; it may run more than once."""
        return self._writer.run(operation)

    def run_each(self, operations: Sequence[Operation[T]]) -> list[T | BaseException]:
        """Run operations, each for itself, in as few commits as possible."""
        return self._writer.run_each([operation for operation, _ in operations])

    def version(self) -> int:
        """Return how many commits there were since the index was opened."""
        return self._writer.commits

    def last_change_number(self) -> int:
        """Return the number of the last change ever logged."""
        return self._writer.totals.last_change

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        return self._writer.totals.statistics()

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource."""
        with self._readers.reading() as connection:
            counts = dict(connection.execute(SQL["counts_below"], (bindable(id),)).fetchall())
            if not counts:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            sizes = connection.execute(SQL["sizes_below"], (bindable(id),)).fetchone()
        return ResourceStatistics(counts.get(1, 0), counts.get(2, 0), counts.get(3, 0), *sizes)

    def get_property(self, name: str) -> str | None:
        """Return a global property."""
        rows = self._readers.fetch(SQL["property"], (name,))
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Close all connections, after the operations that wait."""
        self._writer.close()
        self._readers.close()
