"""Transactions on PostgreSQL that survive what happens to connections.

An operation is repeated when it collides with another one, and when its connection is lost before the commit was sent.
When it is lost afterwards, nobody knows whether the commit has happened. ``pg_xact_status`` cannot tell for sure: after
a crash of the database the number of a transaction that left no trace is given to another one. So each transaction
leaves the name of its connection and its number there in the table ``outcomes``, and this is looked up on a new
connection, once PostgreSQL has ended the old one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

from orthanc_lab.postgresql.acting import Guard, current_guard
from orthanc_lab.postgresql.connections import LONGEST, Connection, Pool, Session, connect
from orthanc_lab.postgresql.failures import away, database_error, is_collision, is_lost
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.postgresql.ownership import END_BACKEND, Ownership
from orthanc_lab.postgresql.schema import prepare
from orthanc_lab.protocol.pausing import Closing
from orthanc_lab.protocol.ports import Clock, SystemClock

__all__ = ["Database"]

T = TypeVar("T")
Operation = Callable[[Connection], T]
_Begin = Callable[[Connection], None]

_log = logging.getLogger("orthanc_lab")
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_NOTE = (
    "WITH past AS (DELETE FROM outcomes WHERE session = %(session)s AND number = %(number)s - 1)"
    " INSERT INTO outcomes (session, number) VALUES (%(session)s, %(number)s)"
)
_COMMITTED = "SELECT 1 FROM outcomes WHERE session = %s AND number = %s"
_PAUSE = 0.02  # seconds before a transaction that collided is repeated, times the number of its collisions
_LONGEST_PAUSE = 1.0  # seconds before one is repeated whose connection was lost again and again
_URGENT = 2  # connections for what must not wait for others: renewing a lease, and looking at those of others
_HELD = 1.0  # seconds between two looks whether the lock of the database is still held
_LOOK_AGAIN = 0.01  # seconds between two looks whether an old connection has ended


class Database:
    """A database that servers share, safe to use from many threads.

    Parameters
    ----------
    options
        Where it is, and how patient to be.
    application
        What PostgreSQL shows as the name of the program.
    clock
        Of the pauses before something is tried again; that of the machine if not given.
    read_only
        PostgreSQL refuses whatever would write; no tables are made.

    Raises
    ------
    OrthancError
        36 if it cannot be reached within the options' retries, 11 if another server has locked it or if it cannot be
        used.
    """

    def __init__(
        self,
        options: PostgresqlOptions,
        application: str = "orthanc-lab",
        *,
        clock: Clock | None = None,
        read_only: bool = False,
    ) -> None:
        self.options = options
        self.conninfo = options.connection_string(application)
        if read_only:
            self.conninfo = make_conninfo(self.conninfo, options="-c default_transaction_read_only=on")
        self._read_only = read_only
        self._patience = options.retries * options.retry_interval
        self._away_since: float | None = None
        self.clock = clock or SystemClock()
        self._closing = Closing(self.clock)
        self._ownership = Ownership(self.conninfo) if options.lock else None
        self._pool = Pool(self._connect, options.connections)
        self._urgent = Pool(self._connect, _URGENT)
        try:
            self._repeat(lambda: self._read(prepare, patient=True), None)
        except BaseException:
            self.close()
            raise

    def run(
        self,
        operation: Operation[T],
        *,
        guards: Sequence[Guard] | None = None,
        pipelined: bool = False,
        notes_outcome: bool = False,
        within: float | None = None,
    ) -> T:
        """Run an operation in a transaction (read committed) and return its result once that is committed.

        The operation may run more than once, so it changes nothing but the database.

        Parameters
        ----------
        guards
            What must still be true at the commit; that of this thread (`orthanc_lab.postgresql.acting`) if not given.
        pipelined
            The operation does not wait for the answer of a statement before it fetches its rows, so that several
            statements share a round trip. Their ``rowcount`` is not known before.
        notes_outcome
            The operation is pipelined, and writes ``connection.outcome`` into the table ``outcomes`` itself.
        within
            Wait for no answer longer than so many seconds, and not at all for a database that is away, or for a
            connection that others use.

        Raises
        ------
        OrthancError
            36 if the database is away for longer than the options' retries, or if the outcome of the commit could
            not be found out in that time; 42 if the transaction collided too often; 11 for other failures.
        """
        if self._read_only:
            return self.read(operation, within=within)
        if guards is None:
            guard = current_guard()
            guards = () if guard is None else (guard,)
        begin = _begin if not pipelined else _begin_pipelined if notes_outcome else _begin_and_note
        return self._repeat(lambda: self._transact(operation, guards, begin, within=within), within)

    def read(self, operation: Operation[T], *, snapshot: bool = False, within: float | None = None) -> T:
        """Run an operation that changes nothing; it may run more than once.

        Parameters
        ----------
        snapshot
            All its statements see the same moment; else each sees its own.
        within
            As for `run`.

        Raises
        ------
        OrthancError
            As `run`.
        """

        def look(connection: Connection) -> T:
            connection.execute(_SNAPSHOT)
            result = operation(connection)
            connection.execute("COMMIT")
            return result

        wanted = look if snapshot else operation
        return self._repeat(lambda: self._read(wanted, within=within, patient=within is None), within)

    def fetch(self, query: str, parameters: Sequence[Any] = (), *, binary: bool = False) -> list[Any]:
        """Return all rows of one query."""
        return self.read(lambda connection: connection.execute(query, parameters, binary=binary).fetchall())

    def close(self) -> None:
        """Close all connections; whoever waits for the database gets an error."""
        self._closing.set()
        self._pool.close()
        self._urgent.close()
        if self._ownership is not None:
            self._ownership.close()

    # -- attempts ------------------------------------------------------------------

    def _repeat(self, attempt: Callable[[], T], within: float | None) -> T:
        began = self.clock.monotonic()
        collisions = losses = 0
        while True:
            try:
                return attempt()
            except psycopg.Error as error:
                if is_collision(error) and collisions < self.options.retries:
                    collisions += 1
                    self._closing.pause(_PAUSE * collisions)
                elif is_lost(error) and self._may_repeat(losses, began, within):
                    # Taking the next connection tells whether the database is away. If it is not, PostgreSQL has ended
                    # the transaction, perhaps since this thread got no processor for a while: that may happen often.
                    self._closing.pause(min(_PAUSE * losses, _LONGEST_PAUSE))
                    losses += 1
                else:
                    raise database_error(error) from error

    def _may_repeat(self, losses: int, began: float, within: float | None) -> bool:
        seconds = self.clock.monotonic() - began
        if within is not None:
            return losses == 0 and seconds < within / 2
        return losses <= self.options.retries or seconds < LONGEST

    def _read(self, operation: Operation[T], *, patient: bool, within: float | None = None) -> T:
        session = self._take(patient=patient, within=within)
        try:
            result = operation(session.connection)
        except BaseException as error:
            self._end(session, error, within=within)
            raise
        self._pool_for(within).give_back(session)
        return result

    def _transact(self, operation: Operation[T], guards: Sequence[Guard], begin: _Begin, *, within: float | None) -> T:
        pipelined = begin is not _begin
        session = self._take(patient=within is None, within=within)
        connection = session.connection
        session.number += 1
        connection.outcome = session.id, session.number
        commit: psycopg.Cursor[Any] | None = None
        sent = False
        try:
            with connection.pipeline() if pipelined else nullcontext() as connection.current_pipeline:
                begin(connection)
                checks = [(guard, connection.execute(guard.query, guard.parameters)) for guard in guards]
                if not pipelined:
                    _hold_to(checks)
                result = operation(connection)
                if pipelined:
                    _hold_to(checks)
                sent = True
                commit = connection.execute("COMMIT")
            if commit.statusmessage != "COMMIT":
                raise psycopg.ProgrammingError("an error of the transaction was disregarded")
        except BaseException as error:
            self._end(session, error, within=within)
            if sent and is_lost(error) and self._has_committed(session, within=within):
                return result
            raise
        self._pool_for(within).give_back(session)
        return result

    def _end(self, session: Session, error: BaseException, *, within: float | None) -> None:
        """Bring a connection after a failure to where the next one can use it, or close it."""
        pool = self._pool_for(within)
        if is_lost(error):
            pool.discard(session)
            pool.forget_idle()
            return
        try:
            session.connection.execute("ROLLBACK")
        except psycopg.Error:
            pool.discard(session)
        else:
            pool.give_back(session)

    # -- connections ---------------------------------------------------------------

    def _connect(self) -> Session:
        if self._ownership is not None:
            self._ownership.hold()
        return connect(self.conninfo)

    def _pool_for(self, within: float | None) -> Pool:
        return self._pool if within is None else self._urgent

    def _take(self, *, patient: bool, within: float | None) -> Session:
        while True:
            try:
                if self._ownership is not None:
                    self._ownership.hold(_HELD)
                session = self._pool_for(within).take()
            except psycopg.OperationalError as error:
                self._wait_for_database(error, patient=patient)
            else:
                self._away_since = None
                session.connection.longest = LONGEST if within is None else within
                return session

    def _wait_for_database(self, error: psycopg.OperationalError, *, patient: bool) -> None:
        """Wait before the next try to connect.

        Raises
        ------
        OrthancError
            36 if it has been away for too long already.
        """
        now = self.clock.monotonic()
        since = self._away_since
        if since is None:
            since = self._away_since = now
            _log.warning("The database cannot be reached: %s", " ".join(str(error).split()))
        interval = self.options.retry_interval
        if not patient or now - since + interval > self._patience or self._closing.pause(interval):
            raise away(error) from error

    def _has_committed(self, session: Session, *, within: float | None) -> bool:
        """Tell whether the last transaction of a lost connection has been committed.

        Raises
        ------
        OrthancError
            36 if that cannot be found out.
        """

        def look(connection: Connection) -> bool:
            deadline = self.clock.monotonic() + (max(self._patience, LONGEST) if within is None else within)
            identity = (session.pid, session.started)
            while connection.execute(END_BACKEND, identity).fetchone() is not None:
                if self.clock.monotonic() > deadline or self._closing.pause(_LOOK_AGAIN):
                    raise away()
            outcome = session.id, session.number
            return connection.execute(_COMMITTED, outcome).fetchone() is not None

        return self._repeat(lambda: self._read(look, within=within, patient=within is None), within)


def _begin(connection: Connection) -> None:
    session, number = connection.outcome
    # Without parameters, statements share a round trip.
    note = _NOTE.replace("%(session)s", f"'{session}'").replace("%(number)s", str(number))
    connection.execute(f"BEGIN; {note}".encode())


def _begin_pipelined(connection: Connection) -> None:
    connection.execute("BEGIN")


def _begin_and_note(connection: Connection) -> None:
    _begin_pipelined(connection)
    session, number = connection.outcome
    connection.execute(_NOTE, {"session": session, "number": number})


def _hold_to(checks: Sequence[tuple[Guard, psycopg.Cursor[Any]]]) -> None:
    for guard, cursor in checks:
        if cursor.fetchone() is None:
            raise guard.refusal()
