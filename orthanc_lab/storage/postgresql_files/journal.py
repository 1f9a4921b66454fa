"""The journal of files that several servers share.

A name is written down before its file is created. The transaction by which something comes to refer to the file takes
the name away, and fails if the name is gone or given up; so nothing can refer to a file that somebody removes. Names
that are not taken away are given up: by the server itself when its transaction has failed, by any server when their
writer has not been heard of for a time. Only then are their files removed, and the names after them.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar, cast

from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.storage.postgresql_files.tables import prepare_tables

__all__ = ["GRACE", "DatabaseJournal", "KnownFiles", "Sweeping"]

T = TypeVar("T")

KnownFiles = Callable[[Connection, Sequence[str]], Collection[str]]
"""Returns those of the names whose files something refers to, on a connection in a transaction."""

GRACE = 60.0
"""Seconds after which the names of a server that is not heard of are given up."""

_MOST = 1000  # files that are removed in one turn
_LONGEST_END = 30.0  # seconds

_NOTE = "INSERT INTO file_journal (room, name, writer) SELECT %s, name, %s FROM unnest(%s::text[]) AS name"
_TAKE_OVER = "DELETE FROM file_journal WHERE room = %s AND name = ANY(%s) AND NOT given_up RETURNING name"
_GIVE_UP = (
    "INSERT INTO file_journal (room, name, writer, given_up) SELECT %s, name, %s, true FROM unnest(%s::text[]) AS name"
    " ON CONFLICT (room, name) DO UPDATE SET given_up = true, at = clock_timestamp()"
)
_SETTLE = "DELETE FROM file_journal WHERE room = %s AND name = ANY(%s)"
_STILL_HERE = "UPDATE file_journal SET at = clock_timestamp() WHERE room = %s AND writer = %s AND NOT given_up"
_GIVE_UP_OLD = (
    "UPDATE file_journal SET given_up = true"
    " WHERE room = %s AND NOT given_up AND at < clock_timestamp() - make_interval(secs => %s)"
)
_OLD = (
    "SELECT name FROM file_journal"
    " WHERE room = %s AND given_up AND at < clock_timestamp() - make_interval(secs => %s) ORDER BY at LIMIT %s"
)


class _OnConnection(Protocol):
    """A transaction of the index on PostgreSQL."""

    @property
    def connection(self) -> Connection: ...


class DatabaseJournal:
    """`orthanc_lab.storage.files.journal.FileJournal` in a table.

    Parameters
    ----------
    room
        Whose files they are; each room has its own area.
    known
        Tells what is referred to.
    """

    def __init__(self, database: Database, room: str, known: KnownFiles) -> None:
        prepare_tables(database)
        self._database = database
        self._room = room
        self._known = known
        self._writer = secrets.token_hex(8)  # not of the identifiers: those of a seed are the same at every server
        self._lock = threading.Lock()
        self._gone: list[str] = []  # names to be forgotten; another server that finds them does no harm

    def note(self, names: Sequence[str]) -> None:
        """Write names down, before their files are created."""
        self._run(lambda connection: connection.execute(_NOTE, (self._room, self._writer, list(names))))

    def take_over(self, transaction: object, names: Sequence[str]) -> None:
        """Forget names in the transaction of the index by which attachments come to refer to their files."""
        self.take_over_on(cast("_OnConnection", transaction).connection, names)

    def take_over_on(self, connection: Connection, names: Sequence[str]) -> None:
        """Forget names in a transaction by which something comes to refer to their files.

        Raises
        ------
        OrthancError
            36 if one of the files has been given up in the meantime, and may be gone.
        """
        taken = connection.execute(_TAKE_OVER, (self._room, list(names))).fetchall()
        if len(taken) < len(names):
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "This server was not heard of for too long: try again")

    def taken_over(self, names: Iterable[str]) -> None:
        """Do nothing: the transaction has done it."""

    def release(self, transaction: object, names: Sequence[str]) -> None:
        """Write names down, within the transaction of the index after which nothing refers to their files."""
        self.release_on(cast("_OnConnection", transaction).connection, names)

    def release_on(self, connection: Connection, names: Sequence[str]) -> None:
        """Write names down, within the transaction after which nothing refers to their files."""
        connection.execute(_GIVE_UP, (self._room, self._writer, list(names)))

    def give_up(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of the names that no transaction can take over any more: their files can be removed.

        None while the database is away: another server, or this one later, finds the names.
        """

        def operation(connection: Connection) -> list[str]:
            # This waits for a transaction that is taking them over, should its outcome be unknown.
            connection.execute(_GIVE_UP, (self._room, self._writer, list(names)))
            known = self._known(connection, names)
            if known:
                connection.execute(_SETTLE, (self._room, list(known)))
            return [name for name in names if name not in known]

        if names:
            with contextlib.suppress(OrthancError):
                return self._run(operation)
        return ()

    def settle(self, names: Iterable[str]) -> None:
        """Forget names whose files are gone, at the next opportunity."""
        with self._lock:
            self._gone.extend(names)

    def close(self) -> None:
        """Forget what is to be forgotten, if the database is there."""
        with contextlib.suppress(OrthancError):
            self.forget_gone()

    # -- of the task that looks after it -------------------------------------------

    def forget_gone(self) -> None:
        """Delete the names of files that are gone."""
        with self._lock:
            gone, self._gone = self._gone, []
        if gone:
            try:
                self._run(lambda connection: connection.execute(_SETTLE, (self._room, gone)))
            except OrthancError:
                self.settle(gone)
                raise

    def old(self, grace: float) -> Sequence[str]:
        """Say that this server is alive, and return names that have been given up for a time.

        Parameters
        ----------
        grace
            Seconds without a sign of life of the writer, by the clock of the database.
        """

        def operation(connection: Connection) -> list[str]:
            connection.execute(_STILL_HERE, (self._room, self._writer))
            connection.execute(_GIVE_UP_OLD, (self._room, grace))
            return [name for (name,) in connection.execute(_OLD, (self._room, grace, _MOST)).fetchall()]

        def unknown(connection: Connection) -> list[str]:
            known = self._known(connection, names)
            if known:
                connection.execute(_SETTLE, (self._room, list(known)))
            return [name for name in names if name not in known]

        names = self._run(operation)
        return self._run(unknown) if names else ()

    def _run(self, operation: Callable[[Connection], T]) -> T:
        return self._database.run(operation, guards=())


class Sweeping:
    """A task that says that the writer of a journal is alive, and removes the files that nobody takes over.

    Parameters
    ----------
    remove
        Removes a file from the area of the journal.
    grace
        Seconds after which the names of a server that is not heard of are given up.
    """

    def __init__(
        self, journal: DatabaseJournal, remove: Callable[[str], None], executor: Executor, grace: float = GRACE
    ) -> None:
        self._journal = journal
        self._remove = remove
        self._grace = grace
        self._closing = False
        self._task = executor.spawn("files-journal", self._steps())

    def close(self) -> None:
        """End the task."""
        self._closing = True
        self._task.wake()
        self._task.join(_LONGEST_END)

    def _steps(self) -> Steps:
        while not self._closing:
            with contextlib.suppress(OrthancError):  # the database is away: later
                self._journal.forget_gone()
                self._sweep()
            yield self._grace / 4

    def _sweep(self) -> None:
        for name in self._journal.old(self._grace):
            if self._closing:
                return
            try:
                self._remove(name)
            except OSError:  # the area is away: later
                return
            self._journal.settle([name])
