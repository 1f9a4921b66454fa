"""One server at a time in a database, where the option ``Lock`` says so."""

from __future__ import annotations

import logging
import math
import threading
import time

import psycopg

from orthanc_lab.postgresql.connections import Session, connect
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["END_BACKEND", "END_STALLED", "Ownership"]

END_BACKEND = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
"""Ends the process that serves a connection; no row if it has ended."""

END_STALLED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state = 'active'"
    " AND wait_event = 'ClientRead' AND xact_start IS NOT NULL"
    " AND query_start < clock_timestamp() - interval '2 seconds' AND query NOT ILIKE '%copy%'"
)
"""Ends transactions whose server was stopped between two statements of a pipeline.

PostgreSQL takes them for busy, and its time-outs do not apply. A transaction that was ended wrongly, in the moment
after a long wait, is repeated.
"""

_TRY = "SELECT pg_try_advisory_lock(%s, %s)"
_PAUSE = "SELECT pg_sleep(0.01)"
_LOCK = (0x6F72_7468, 1)  # of this program: Orthanc's plug-in has others
_LOOK = 1.0  # seconds
_PATIENCE = 2.0  # seconds
_LONGEST_END = 5.0  # seconds, of a process that was told to end
_log = logging.getLogger("orthanc_lab")


class Ownership:
    """A lock of the database, held by a connection of its own: whatever ends the server frees it.

    It is lost with the connection. So it is looked at, and taken again, whenever another connection is made, and once a
    second while the database is used: the database may have been away, and another server may have been faster.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._looked = -math.inf  # monotonic: when it was held for sure
        self._is_refused = False  # that was logged
        self._closed = False

    def hold(self, within: float = 0.0) -> None:
        """Take the lock, unless it is held.

        Parameters
        ----------
        within
            A look that was so many seconds ago is good enough.

        Raises
        ------
        OrthancError
            11 if another server has it.
        psycopg.OperationalError
            If the database cannot be reached.
        """
        if time.monotonic() < self._looked + within:
            return
        with self._lock:
            now = time.monotonic()
            if now < self._looked + within:
                return
            self._looked = -math.inf
            self._hold()
            self._looked = now

    def close(self) -> None:
        """Give the lock up."""
        with self._lock:
            self._closed = True
            if self._session is not None:
                self._session.close()
                self._session = None

    def _hold(self) -> None:
        if self._closed:
            raise OrthancError(ErrorCode.DATABASE, "The index is closed")
        if self._session is not None and _is_alive(self._session):
            return
        session = connect(self._conninfo)
        try:
            if self._session is not None:
                _end(session, self._session)
                self._session = None
            self._take(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        self._is_refused = False

    def _take(self, session: Session) -> None:
        # PostgreSQL may not know yet that the server before has ended.
        deadline = -math.inf if self._is_refused else time.monotonic() + _PATIENCE
        while session.connection.execute(_TRY, _LOCK).fetchone() != (True,):
            if time.monotonic() >= deadline:
                if not self._is_refused:
                    _log.error("The PostgreSQL database is locked by another instance of Orthanc")
                self._is_refused = True
                raise OrthancError(ErrorCode.DATABASE)
            session.connection.execute(_PAUSE)


def _is_alive(session: Session) -> bool:
    session.connection.longest = _LOOK
    try:
        session.connection.execute("SELECT 1")
    except psycopg.Error:
        session.close()
        return False
    return True


def _end(session: Session, old: Session) -> None:
    """End the process of a connection that was lost: it may not know yet."""
    deadline = time.monotonic() + _LONGEST_END
    while session.connection.execute(END_BACKEND, (old.pid, old.started)).fetchone() and time.monotonic() < deadline:
        session.connection.execute(_PAUSE)
