"""What servers tell each other through PostgreSQL, the moment it is committed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from orthanc_lab.postgresql.connections import Session, connect
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.pausing import Closing

__all__ = ["Listening", "notify"]

_LONGEST_END = 10.0  # seconds
_LOOK = 3600.0  # seconds; nothing is missed in between


def notify(connection: psycopg.Connection[Any], channel: str, payload: str = "") -> None:
    """Tell all who listen to a channel, once the transaction is committed; the same text is told once.

    Parameters
    ----------
    payload
        Up to 8000 bytes.
    """
    connection.execute("SELECT pg_notify(%s, %s)", (channel, payload))


class Listening:
    """A thread that listens on a connection of its own; when that is lost, it makes another one.

    Parameters
    ----------
    heard
        Called with the channel and the text of each notification. With two empty texts: those that came while there
        was no connection were missed, so it is time to look at everything. It must not raise.
    pause
        Seconds between two tries to connect.
    """

    def __init__(
        self, database: Database, channels: Sequence[str], heard: Callable[[str, str], None], *, pause: float = 0.5
    ) -> None:
        self._conninfo = database.conninfo
        self._channels = channels
        self._heard = heard
        self._pause = pause
        self._lock = threading.Lock()  # guards the one below
        self._session: Session | None = None
        self._closing = Closing(database.clock)
        self._thread = threading.Thread(target=self._listen, name="postgresql-listening", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        with self._lock:
            if self._session is not None:
                _interrupt(self._session)
        self._thread.join(_LONGEST_END)

    def _listen(self) -> None:
        while not self._closing.is_set:
            with contextlib.suppress(psycopg.Error):
                session = connect(self._conninfo)
                try:
                    self._hear(session)
                finally:
                    with self._lock:
                        self._session = None
                        session.close()
            self._closing.pause(self._pause)

    def _hear(self, session: Session) -> None:
        connection = session.connection
        for channel in self._channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        with self._lock:
            self._session = session
        self._heard("", "")
        while not self._closing.is_set:
            for notification in connection.notifies(timeout=_LOOK):
                self._heard(notification.channel, notification.payload)


def _interrupt(session: Session) -> None:
    """Let the thread that waits for this connection find it lost."""
    with (
        contextlib.suppress(psycopg.Error, OSError),
        socket.socket(fileno=os.dup(session.connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)
