"""The journal of files that several servers share.

A UUID is written down before a file is created under it: many at a time, so that hardly any file waits for that. The
transaction by which something comes to refer to the file takes the UUID away, and fails if it is gone or given up; so
nothing can refer to a file that somebody removes. What is not taken away is given up: by the server itself when its
transaction has failed, by any server when its writer has not been heard of for a time. Only then are files removed, and
their names after them.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar, cast

from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.storage.files.names import possible_names, uuid_of
from orthanc_lab.storage.postgresql_files.tables import prepare_tables

__all__ = ["GRACE", "DatabaseJournal", "KnownFiles", "Sweeping"]

T = TypeVar("T")

KnownFiles = Callable[[Connection, Sequence[str]], Collection[str]]
"""Returns those of the names whose files something refers to, on a connection in a transaction."""

GRACE = 60.0
"""Seconds after which the names of a server that is not heard of are given up."""

_MOST = 1000  # files that are removed in one turn
_LONGEST_END = 30.0  # seconds

_RESERVED = 64  # UUIDs that a server writes down at a time
_RESERVE = (
    "INSERT INTO file_journal (room, uuid, name, writer) SELECT %s, uuid, uuid, %s FROM unnest(%s::text[]) AS uuid"
)
_TAKE_OVER = "SELECT take_over_files(%s, %s::text[])"
_COUNT = "SELECT count(*) FROM file_journal WHERE room = %s AND uuid = ANY(%s) AND NOT given_up"
_GIVE_UP = (
    "INSERT INTO file_journal (room, uuid, name, writer, given_up)"
    " SELECT %s, uuid, name, %s, true FROM unnest(%s::text[], %s::text[]) AS file (uuid, name)"
    " ON CONFLICT (room, uuid) DO UPDATE SET given_up = true, name = excluded.name, at = clock_timestamp()"
)
_SETTLE = "DELETE FROM file_journal WHERE room = %s AND uuid = ANY(%s)"
# Rows that a transaction of the index is taking away are passed over: waiting for one, with others locked, could make a
# circle of those who wait.
_UPDATE = (
    "WITH found AS (SELECT room, uuid FROM file_journal WHERE room = %s AND NOT given_up AND {which}"
    " FOR UPDATE SKIP LOCKED) UPDATE file_journal AS row SET {change} FROM found"
    " WHERE row.room = found.room AND row.uuid = found.uuid"
)
_STILL_HERE = _UPDATE.format(which="writer = %s", change="at = clock_timestamp()")
_GIVE_UP_OLD = _UPDATE.format(which="at < clock_timestamp() - make_interval(secs => %s)", change="given_up = true")
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
    at_once
        UUIDs that are written down by one transaction.
    """

    def __init__(self, database: Database, room: str, known: KnownFiles, at_once: int = _RESERVED) -> None:
        prepare_tables(database)
        self._database = database
        self._room = room
        self._known = known
        self._at_once = at_once
        self._writer = secrets.token_hex(8)  # not of the identifiers: those of a seed are the same at every server
        self._refilling = threading.Lock()
        self._lock = threading.Lock()  # guards what follows
        self._reserved: list[str] = []  # UUIDs that are written down
        self._gone: list[str] = []  # UUIDs to be forgotten; another server that finds them does no harm
        self._lost: list[str] = []  # names to be given up, once the database is there

    def reserve(self, extension: str, identifiers: Identifiers) -> str:
        """Return a new UUID, under which a file can be created: it is written down."""
        uuid = self._next()
        if uuid is None:
            with self._refilling:
                while (uuid := self._next()) is None:  # another thread may just have done it
                    self._reserve(identifiers)
        return uuid

    def _reserve(self, identifiers: Identifiers) -> None:
        fresh = [identifiers.uuid() for _ in range(self._at_once)]
        values = (self._room, self._writer, fresh)
        self._database.run(lambda connection: connection.execute(_RESERVE, values), guards=(), pipelined=True)
        with self._lock:
            self._reserved.extend(fresh)

    def _next(self) -> str | None:
        with self._lock:
            return self._reserved.pop() if self._reserved else None

    def take_over(self, transaction: object, names: Sequence[str]) -> None:
        """Forget names in the transaction of the index by which attachments come to refer to their files."""
        self.take_over_on(cast("_OnConnection", transaction).connection, names)

    def take_over_on(self, connection: Connection, names: Sequence[str]) -> None:
        """Forget names in a transaction by which something comes to refer to their files.

        The transaction fails with 36 if one of the files has been given up in the meantime, and may be gone.
        """
        connection.execute(_TAKE_OVER, (self._room, _uuids(names)))

    def taken_over(self, names: Iterable[str]) -> None:
        """Do nothing: the transaction has done it."""

    def release(self, transaction: object, names: Sequence[str]) -> None:
        """Write names down, within the transaction of the index after which nothing refers to their files."""
        self.release_on(cast("_OnConnection", transaction).connection, names)

    def release_on(self, connection: Connection, names: Sequence[str]) -> None:
        """Write names down, within the transaction after which nothing refers to their files."""
        connection.execute(_GIVE_UP, (self._room, self._writer, _uuids(names), list(names)))

    def give_up(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of the names that no transaction can take over any more: their files can be removed.

        None while the database is away: they are given up later.
        """
        try:
            return self._give_up(names) if names else ()
        except OrthancError:
            with self._lock:
                self._lost.extend(names)
            return ()

    def _give_up(self, names: Sequence[str]) -> Sequence[str]:
        uuids = _uuids(names)

        def operation(connection: Connection) -> tuple[bool, list[str]]:
            row = connection.execute(_COUNT, (self._room, uuids)).fetchone()
            # This waits for a transaction that is taking them over, should its outcome be unknown.
            connection.execute(_GIVE_UP, (self._room, self._writer, uuids, list(names)))
            return row is not None and row[0] < len(names), self._without_known(connection, names)

        somebody_else_did, given_up = self._run(operation)
        if somebody_else_did:
            self._forget_reserved()
        return given_up

    def _without_known(self, connection: Connection, names: Sequence[str]) -> list[str]:
        """Return names without those that are referred to, which are forgotten."""
        known = self._known(connection, names)
        if known:
            connection.execute(_SETTLE, (self._room, _uuids(known)))
        return [name for name in names if name not in known]

    def _forget_reserved(self) -> None:
        """Use the other UUIDs no more: others have taken this server for dead, and given them up, too."""
        with self._lock:
            self._lost.extend(self._reserved)
            self._reserved.clear()

    def settle(self, names: Iterable[str]) -> None:
        """Forget names whose files are gone, at the next opportunity."""
        with self._lock:
            self._gone.extend(_uuids(names))

    def close(self) -> None:
        """Forget what is to be forgotten, if the database is there."""
        with self._lock:
            self._gone.extend(self._reserved)  # nobody has written a file there
            self._reserved.clear()
        with contextlib.suppress(OrthancError):
            self.forget_gone()
            self.give_up_lost()

    # -- of the task that looks after it -------------------------------------------

    def give_up_lost(self) -> None:
        """Give up the names that could not be given up."""
        with self._lock:
            lost, self._lost = self._lost, []
        if lost:
            try:
                self._give_up(lost)
            except OrthancError:
                with self._lock:
                    self._lost.extend(lost)
                raise

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

        names = self._run(operation)
        return self._run(lambda connection: self._without_known(connection, names)) if names else ()

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
                self._journal.give_up_lost()
                self._sweep()
            yield self._grace / 4

    def _sweep(self) -> None:
        for name in self._journal.old(self._grace):
            if self._closing:
                return
            try:
                for possible in possible_names(name):
                    self._remove(possible)
            except OSError:  # the area is away: later
                return
            self._journal.settle([name])


def _uuids(names: Iterable[str]) -> list[str]:
    return [uuid_of(name) for name in names]
