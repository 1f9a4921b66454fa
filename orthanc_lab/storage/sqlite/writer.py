"""The one who writes the index; writers that wait share one commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any, Generic, TypeVar

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.sqlite.lineage import Lineages

__all__ = ["Totals", "Transaction", "Writer"]

T = TypeVar("T")
_LARGEST_GROUP = 64


@dataclass(slots=True)
class Totals:
    """The one row of the table ``totals``."""

    last_resource: int
    last_small_file: int
    last_change: int
    last_export: int
    last_rank: int
    patients: int
    studies: int
    series: int
    instances: int
    disk_size: int
    uncompressed_size: int


_WRITE_TOTALS = f"UPDATE totals SET {', '.join(f'{field.name} = ?' for field in fields(Totals))}"


class Transaction:
    """What an operation may do while it has the index to itself."""

    __slots__ = ("afterwards", "discarded", "execute", "executemany", "lineages", "totals")

    def __init__(self, connection: sqlite3.Connection, totals: Totals, lineages: Lineages) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.totals = totals
        self.lineages = lineages
        self.discarded: list[str] = []  # files of the storage area that nothing refers to any more
        self.afterwards: list[Callable[[], None]] = []  # called once the commit is done


class _Waiting(Generic[T]):
    __slots__ = ("afterwards", "done", "error", "gate", "operation", "result")

    def __init__(self, operation: Callable[[Transaction], T]) -> None:
        self.operation = operation
        self.done = False
        self.result: T
        self.error: BaseException | None = None
        self.afterwards: Sequence[Callable[[], None]] = ()
        self.gate: threading.Lock | None = None  # held until the operation is done, or its thread is to lead


class Writer:
    """Runs operations one after the other, each whole or not at all.

    The thread that gets the lock runs the operations of all that wait and commits once.

    Parameters
    ----------
    before_discard
        Called with the names of files before the commit that makes them superfluous.
    discard
        Called with them after it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        before_discard: Callable[[Sequence[str]], None],
        discard: Callable[[Sequence[str]], None],
    ) -> None:
        self._connection = connection
        self._before_discard = before_discard
        self._discard = discard
        self._mutex = threading.Lock()  # guards the two below
        self._busy = False
        self._queue: list[_Waiting[Any]] = []
        self._lineages = Lineages()
        self._totals = Totals(*connection.execute("SELECT * FROM totals").fetchone())

    @property
    def totals(self) -> Totals:
        """The totals as last committed."""
        return self._totals

    def run(self, operation: Callable[[Transaction], T]) -> T:
        """Run `operation` and return its result once it is on disk.

        It may run more than once, if another one of its group fails; so it must change nothing but
        the index and its transaction.
        """
        waiting = _Waiting(operation)
        with self._mutex:
            if self._busy:
                waiting.gate = threading.Lock()
                waiting.gate.acquire()
                self._queue.append(waiting)
            self._busy = True
        if waiting.gate is not None:
            waiting.gate.acquire()
        if not waiting.done:
            self._lead(waiting)
        if waiting.error is not None:
            raise waiting.error
        for call in waiting.afterwards:
            call()
        return waiting.result

    def close(self) -> None:
        """Close the connection after the operations that wait."""
        self.run(lambda transaction: None)
        self._connection.close()

    def _lead(self, first: _Waiting[Any]) -> None:
        with self._mutex:
            group = [first, *self._queue[: _LARGEST_GROUP - 1]]
            del self._queue[: _LARGEST_GROUP - 1]
        self._run_group(group)
        with self._mutex:
            successor = self._queue.pop(0) if self._queue else None
            self._busy = successor is not None
        for waiting in (*group, successor):
            if waiting is not None and waiting.gate is not None:
                waiting.gate.release()

    def _run_group(self, group: list[_Waiting[Any]]) -> None:
        try:
            self._attempt(group)
        except BaseException as error:
            if len(group) == 1:
                group[0].error = _in_orthancs_words(error)
                group[0].done = True
            else:
                for waiting in group:
                    self._run_group([waiting])

    def _attempt(self, group: list[_Waiting[Any]]) -> None:
        connection = self._connection
        totals = replace(self._totals)
        transactions = [Transaction(connection, totals, self._lineages) for _ in group]
        connection.execute("BEGIN IMMEDIATE")
        try:
            for waiting, transaction in zip(group, transactions, strict=True):
                waiting.result = waiting.operation(transaction)
            if totals != self._totals:
                connection.execute(_WRITE_TOTALS, astuple(totals))
            discarded = [name for transaction in transactions for name in transaction.discarded]
            if discarded:
                self._before_discard(discarded)
            connection.execute("COMMIT")
        except BaseException:
            self._lineages.clear()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._totals = totals
        for waiting, transaction in zip(group, transactions, strict=True):
            waiting.afterwards = transaction.afterwards
            waiting.done = True
        if discarded:
            self._discard(discarded)


def _in_orthancs_words(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return OrthancError(ErrorCode.FULL_STORAGE, "No space left for the index").with_traceback(
                error.__traceback__
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the index: {error}")
        return OrthancError(ErrorCode.DATABASE, str(error))
    return error
