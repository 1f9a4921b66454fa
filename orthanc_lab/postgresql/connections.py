"""Connections to PostgreSQL: how one is made, and the few that all threads share.

The pool of psycopg makes connections on threads of its own, with growing pauses: while the database is away, nobody
knows when it will be back in use. Here the thread that needs a connection makes it, or learns at once that it cannot.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from queue import SimpleQueue
from typing import cast

import psycopg
from psycopg import sql
from psycopg.abc import RV, PQGen
from psycopg.rows import TupleRow

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["SCHEMA", "Connection", "Pool", "Session", "connect"]

SCHEMA = "orthanc_lab"
"""The schema that has all tables: beside those of Orthanc's plug-in, which are in another one."""

LONGEST = 60.0
"""Seconds after which an answer is not waited for any more."""

_IDLE_IN_TRANSACTION = 2.0
"""Seconds after which PostgreSQL ends a transaction that a stopped process holds open."""

logging.getLogger("psycopg").setLevel(logging.ERROR)  # what it warns of is raised, too


class _Cursor(psycopg.Cursor[TupleRow]):
    """A cursor that ends a turn of its pipeline when rows are fetched.

    Otherwise PostgreSQL would take a transaction whose process was stopped then for busy, and leave it open, with its
    locks. `orthanc_lab.postgresql.ownership.END_STALLED` is for those that were stopped a moment before.
    """

    def fetchone(self) -> TupleRow | None:
        """Return the next row, None after the last one."""
        self._end_turn()
        return super().fetchone()

    def fetchall(self) -> list[TupleRow]:
        """Return the rows that are left."""
        self._end_turn()
        return super().fetchall()

    def _end_turn(self) -> None:
        pipeline = cast("Connection", self.connection).current_pipeline
        if pipeline is not None and self.statusmessage is None:  # the answer has not been read yet
            pipeline.sync()


class Connection(psycopg.Connection[TupleRow]):
    """A connection that waits for no answer for ever."""

    longest: float = LONGEST
    current_pipeline: psycopg.Pipeline | None = None
    opened: float = 0.0
    """When it could be used first (monotonic): the database has not crashed since."""
    outcome: tuple[str, int] = ("", 0)
    """What the current transaction leaves in the table ``outcomes``: by it one sees whether it was committed."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer; `timeout` replaces `longest`."""
        return super().wait(gen, interval, self.longest if timeout is None else timeout)


class Session:
    """A connection, and by what others recognise it."""

    __slots__ = ("connection", "has_place", "id", "number", "pid", "started")

    def __init__(self, connection: Connection, pid: int, started: datetime) -> None:
        self.connection = connection
        self.id = uuid.uuid4().hex  # in the table ``outcomes``
        self.number = 0  # of its transactions so far
        self.pid = pid  # of the process that serves it
        self.started = started
        self.has_place = True  # of those that a pool has

    def close(self) -> None:
        """Close the connection, whatever its state."""
        self.connection.close()


def connect(conninfo: str) -> Session:
    """Open a connection without transactions of its own."""
    connection = Connection.connect(conninfo, autocommit=True, cursor_factory=_Cursor)
    try:
        cursor = connection.execute(_SETTINGS)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    except BaseException:
        connection.close()
        raise
    assert row is not None
    connection.opened = time.monotonic()
    return Session(connection, *row)


# Sequential scans only where nothing else is possible: plans are kept, and may have been made when a table was empty.
_SETTINGS = sql.SQL(
    "SET search_path = {schema}; SET statement_timeout = {longest}; SET jit = off; SET enable_seqscan = off; "
    "SET timezone = 'UTC'; SET idle_in_transaction_session_timeout = {idle}; "
    "SET default_transaction_isolation = 'read committed'; "
    "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
).format(
    schema=sql.Identifier(SCHEMA),
    longest=sql.Literal(int(LONGEST * 1000)),
    idle=sql.Literal(int(_IDLE_IN_TRANSACTION * 1000)),
)


class Pool:
    """A few connections, shared by all threads.

    A thread that takes a second one, while it holds one, gets it beyond the limit: nobody waits for himself.

    Parameters
    ----------
    open_session
        Makes a connection.
    size
        How many there are at most.
    """

    def __init__(self, open_session: Callable[[], Session], size: int) -> None:
        self._open = open_session
        self._lock = threading.Lock()  # guards the three below
        self._idle: list[Session | None] = [None] * size  # None: to be opened
        self._waiting: deque[SimpleQueue[Session | None]] = deque()
        self._closed = False
        self._held = threading.local()

    def take(self) -> Session:
        """Return a connection that nobody else uses.

        Raises
        ------
        psycopg.OperationalError
            If it could not be made.
        OrthancError
            11 if the pool is closed.
        """
        held = self._held.__dict__.get("count", 0)
        has_place, session = self._place(may_wait=not held)
        try:
            if self._closed:
                raise OrthancError(ErrorCode.DATABASE, "The index is closed")
            session = session or self._open()
        except BaseException:
            if has_place:
                self._put(session)
            raise
        session.has_place = has_place
        self._held.count = held + 1
        return session

    def give_back(self, session: Session) -> None:
        """Return a connection that is in no transaction."""
        self._held.count -= 1
        if session.has_place:
            self._put(session)
        else:
            session.close()

    def discard(self, session: Session) -> None:
        """Close a connection that is of no use any more."""
        session.close()
        self._held.count -= 1
        if session.has_place:
            self._put(None)

    def forget_idle(self) -> None:
        """Close the connections that nobody uses: one of the same age was lost."""
        with self._lock:
            lost = [session for session in self._idle if session is not None]
            self._idle = [None] * len(self._idle)
        for session in lost:
            session.close()

    def close(self) -> None:
        """Close all connections; those in use, when they are given back."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
        for place in waiting:
            place.put(None)
        self.forget_idle()

    def _place(self, *, may_wait: bool) -> tuple[bool, Session | None]:
        """Return whether there is a place, and the connection that is in it, if it has been opened."""
        with self._lock:
            if self._idle:
                return True, self._idle.pop()
            if self._closed or not may_wait:
                return False, None
            mine: SimpleQueue[Session | None] = SimpleQueue()
            self._waiting.append(mine)
        return True, mine.get()

    def _put(self, session: Session | None) -> None:
        if self._closed and session is not None:
            session.close()
            session = None
        with self._lock:
            if self._waiting:
                self._waiting.popleft().put(session)
            else:
                self._idle.append(session)
