"""All changes of the index, one after the other; operations that wait share one commit.

SQLite would wait for the disk inside each commit (``synchronous = FULL``), even if they need not be on the
disk. Here commits only reach the operating system (``NORMAL``: they survive the end of the process), and the writer
waits for SQLite's log where an answer must survive a power cut. SQLite itself syncs the log before it moves it into
the index.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.group_commit import GroupCommit
from orthanc_lab.storage.files.disk_errors import disk_error
from orthanc_lab.storage.files.log_file import LogFile
from orthanc_lab.storage.index import UnsyncedError
from orthanc_lab.storage.sqlite.connections import index_error
from orthanc_lab.storage.sqlite.lineage_cache import LineageCache
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.totals import Totals, totals_row
from orthanc_lab.storage.sqlite.transaction import SqliteTransaction

__all__ = ["Writer"]

T = TypeVar("T")
_WRITE_TOTALS = SQL["write_totals"]


class _Work(Generic[T]):
    __slots__ = ("disk_problem", "operation", "result", "transaction")

    def __init__(self, operation: Callable[[SqliteTransaction], T]) -> None:
        self.operation = operation
        self.transaction: SqliteTransaction
        self.result: T
        self.disk_problem: OSError | None = None


class Writer:
    """Runs operations one after the other, each whole or not at all.

    Those that come together share a commit (`GroupCommit`), and one wait for the disk after it.

    Parameters
    ----------
    log
        The write-ahead log of SQLite, synced where an operation of a group asks for it; None never waits.
    """

    def __init__(self, connection: sqlite3.Connection, log: LogFile | None) -> None:
        self._connection = connection
        self._log = log
        self._cache = LineageCache()
        self.commits = 0
        """How many there were; a commit counts before anybody hears of it."""
        self._totals = Totals(*connection.execute(SQL["totals"]).fetchone())
        self._group: GroupCommit[_Work[Any]] = GroupCommit(
            self._commit, afterwards=None if log is None else self._wait_for_disk
        )

    @property
    def totals(self) -> Totals:
        """The totals as last committed."""
        return self._totals

    @property
    def waiting(self) -> int:
        """How many operations wait for the next commit."""
        return self._group.waiting

    def run(self, operation: Callable[[SqliteTransaction], T]) -> T:
        """Run `operation` and return its result once it is committed, and on the disk if it has to be.

        It runs more than once if another one of its group fails, so it changes nothing but the transaction.
        """
        (outcome,) = self.run_each([operation])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def run_each(self, operations: Sequence[Callable[[SqliteTransaction], T]]) -> list[T | BaseException]:
        """Run operations as `run` does, in as few commits as possible; return what each one returned or raised."""
        works = [_Work(operation) for operation in operations]
        outcomes: list[T | BaseException] = []
        for work, error in zip(works, self._group.run_each(works), strict=True):
            if isinstance(error, sqlite3.Error):
                outcomes.append(_because(index_error(error), error))
            elif error is not None:
                outcomes.append(error)
            elif work.disk_problem is not None:
                problem = disk_error(work.disk_problem)
                outcomes.append(_because(UnsyncedError(problem.code, problem.details), work.disk_problem))
            else:
                outcomes.append(work.result)
        return outcomes

    def close(self) -> None:
        """Close the connection after the operations that wait."""
        with contextlib.suppress(OrthancError):  # a full disk; there is nothing to write any more
            self.run(lambda transaction: None)
        self._connection.close()
        if self._log is not None:
            self._log.close()

    def _commit(self, group: list[_Work[Any]]) -> None:
        connection = self._connection
        before = totals_row(self._totals)
        totals = Totals(*before)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for work in group:
                work.transaction = SqliteTransaction(connection, totals, self._cache)
                work.result = work.operation(work.transaction)
            after = totals_row(totals)
            if after != before:
                connection.execute(_WRITE_TOTALS, after)
            connection.execute("COMMIT")
        except BaseException:
            self._cache.clear()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._totals = totals
        self.commits += 1

    def _wait_for_disk(self, group: list[_Work[Any]]) -> None:
        concerned = [work for work in group if work.transaction.awaits_disk]
        if concerned and self._log is not None:
            try:
                self._log.sync()
            except OSError as error:
                for work in concerned:
                    work.disk_problem = error


def _because(error: OrthancError, cause: BaseException) -> OrthancError:
    error.__cause__ = cause
    return error
