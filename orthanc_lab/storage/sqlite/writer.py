"""The one who writes the index; writers that wait share one commit."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Generic, TypeVar

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.storage.files.attachments import disk_error
from orthanc_lab.storage.sqlite.connections import index_error
from orthanc_lab.storage.sqlite.lineage import Lineages
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.wal_sync import WalSync

__all__ = ["Discard", "Totals", "Transaction", "Writer"]

T = TypeVar("T")
_LARGEST_GROUP = 64
_WRITE_TOTALS = SQL["write_totals"]


@dataclass(slots=True)
class Totals:
    """The one row of the table ``totals``."""

    last_resource: int
    last_small_file: int
    last_change: int
    last_export: int
    last_rank: int
    stale_changes: int
    patients: int
    studies: int
    series: int
    instances: int
    disk_size: int
    uncompressed_size: int


_values = attrgetter(*(field.name for field in fields(Totals)))


class Transaction:
    """What an operation may do while it has the index to itself."""

    __slots__ = ("awaits_disk", "discarded", "execute", "forgotten", "lineages", "totals")

    def __init__(self, connection: sqlite3.Connection, totals: Totals, lineages: Lineages) -> None:
        self.execute = connection.execute
        self.totals = totals
        self.lineages = lineages
        self.discarded: list[str] = []  # files of the storage area that nothing refers to any more
        self.forgotten: list[str] = []  # the same, and the small ones
        self.awaits_disk = False  # it wrote small files, so it is not done until they are on the disk


@dataclass(frozen=True, slots=True)
class Discard:
    """What happens to the files that a commit makes superfluous."""

    before: Callable[[Sequence[str]], None]  # called with the names of those in the storage area before the commit
    after: Callable[[Sequence[str]], None]  # and after it
    forget: Callable[[Sequence[str]], None]  # called with the names of all of them after it


class _Waiting(Generic[T]):
    __slots__ = ("done", "error", "gate", "operation", "result", "transaction")

    def __init__(self, operation: Callable[[Transaction], T]) -> None:
        self.operation = operation
        self.transaction: Transaction
        self.done = False
        self.result: T
        self.error: BaseException | None = None
        self.gate: threading.Lock | None = None  # held until the operation is done, or its thread is to lead


class Writer:
    """Runs operations one after the other, each whole or not at all.

    One thread leads: it runs its own operation and those of all that wait, commits once, and waits for the disk
    once. Those that come meanwhile are the next group: the slower the disk, the larger the groups.

    Parameters
    ----------
    log
        Waits for the disk, where an operation of a group asks for it; None never waits.
    """

    def __init__(self, connection: sqlite3.Connection, discard: Discard, log: WalSync | None) -> None:
        self._connection = connection
        self._discard = discard
        self._log = log
        self._mutex = threading.Lock()  # guards the two below
        self._busy = False
        self._queue: list[_Waiting[Any]] = []
        self._lineages = Lineages()
        self._totals = Totals(*connection.execute(SQL["totals"]).fetchone())

    @property
    def totals(self) -> Totals:
        """The totals as last committed."""
        return self._totals

    def run(self, operation: Callable[[Transaction], T]) -> T:
        """Run `operation` and return its result once it is committed.

        It may run more than once, if another one of its group fails.
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
        if waiting.transaction.forgotten:
            self._discard.forget(waiting.transaction.forgotten)
            self._discard.after(waiting.transaction.discarded)
        return waiting.result

    def close(self) -> None:
        """Close the connection after the operations that wait."""
        with contextlib.suppress(OrthancError):  # a full disk; there is nothing to write any more
            self.run(lambda transaction: None)
        self._connection.close()
        if self._log is not None:
            self._log.close()

    def _lead(self, first: _Waiting[Any]) -> None:
        with self._mutex:
            group = [first, *self._queue[: _LARGEST_GROUP - 1]]
            del self._queue[: _LARGEST_GROUP - 1]
        self._run_group(group)
        self._wait_for_disk(group)
        with self._mutex:
            successor = self._queue.pop(0) if self._queue else None
            self._busy = successor is not None
        for waiting in (*group, successor):
            if waiting is not None and waiting.gate is not None:
                waiting.gate.release()

    def _wait_for_disk(self, group: list[_Waiting[Any]]) -> None:
        concerned = [waiting for waiting in group if waiting.error is None and waiting.transaction.awaits_disk]
        if not concerned or self._log is None:
            return
        try:
            self._log.wait()
        except OSError as error:
            for waiting in concerned:
                waiting.error = disk_error(error)

    def _run_group(self, group: list[_Waiting[Any]]) -> None:
        try:
            self._attempt(group)
        except BaseException as error:
            if len(group) > 1:  # which one failed is unknown, so each gets a commit of its own
                for waiting in group:
                    self._run_group([waiting])
                return
            group[0].error = _explained(error)
            group[0].done = True

    def _attempt(self, group: list[_Waiting[Any]]) -> None:
        connection = self._connection
        before = _values(self._totals)
        totals = Totals(*before)
        connection.execute("BEGIN IMMEDIATE")
        try:
            discarded: list[str] = []
            for waiting in group:
                waiting.transaction = Transaction(connection, totals, self._lineages)
                waiting.result = waiting.operation(waiting.transaction)
                discarded += waiting.transaction.discarded
            after = _values(totals)
            if after != before:
                connection.execute(_WRITE_TOTALS, after)
            if discarded:
                self._discard.before(discarded)
            connection.execute("COMMIT")
        except BaseException:
            self._lineages.clear()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._totals = totals
        for waiting in group:
            waiting.done = True


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.Error):
        return index_error(error)
    if isinstance(error, OSError):  # of the journal of files
        return disk_error(error)
    return error
