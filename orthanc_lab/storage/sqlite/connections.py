"""The connections to the index: one that writes, a few that read."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.private_files import create_private_file
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.sqlite.json_text import bindable
from orthanc_lab.storage.sqlite.statements import SCHEMA, SEARCH_INDEXES, VERSION
from orthanc_lab.storage.wildcards import Wildcards

__all__ = ["Connect", "Readers", "connect", "index_error", "open_writer"]

Connect = Callable[[Path], sqlite3.Connection]
"""Opens a connection to an index, for any thread and without transactions of its own."""

_READERS = 4
_SETTINGS = (
    "PRAGMA case_sensitive_like = ON",  # LIKE as in PostgreSQL
    "PRAGMA wal_autocheckpoint = 4000",  # pages
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = OFF",
    "PRAGMA cache_size = -4096",  # KiB
)


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection to the file of an index; SQLite gives its log the mode of this file."""
    create_private_file(path)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)


def open_writer(path: Path, connect: Connect = connect) -> sqlite3.Connection:
    """Open the index for writing; a new one gets its tables.

    Raises
    ------
    OrthancError
        18 if the index was written by another version of this program, 11 if the file is not an index.
    """
    try:
        with _opening(path, connect) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # see writer
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                made = f"{SCHEMA} {SEARCH_INDEXES} PRAGMA user_version = {VERSION};"
                connection.executescript(f"BEGIN IMMEDIATE; {made} COMMIT;")
            elif version == VERSION:
                connection.executescript(SEARCH_INDEXES)
            else:
                text = f"The index {path} has version {version}, expected {VERSION}"
                raise OrthancError(ErrorCode.INCOMPATIBLE_DATABASE_VERSION, text)
    except sqlite3.Error as error:
        raise index_error(error, shown=f" {path}") from error
    return connection


class Readers:
    """A few connections that read, shared by all threads.

    A thread must not take a second one while it holds one.
    """

    def __init__(self, path: Path, connect: Connect = connect) -> None:
        self._path = path
        self._connect = connect
        self._lock = threading.Lock()  # guards the two below; queue.LifoQueue takes ten times as long
        self._idle: list[sqlite3.Connection | None] = [None] * _READERS  # None: not opened yet
        self._waiting: deque[SimpleQueue[sqlite3.Connection | None]] = deque()
        self._closed = False

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of one query."""
        connection = self._take()
        try:
            if connection is None:
                connection = self._open()
            return connection.execute(query, [bindable(value) for value in parameters]).fetchall()
        except sqlite3.Error as error:
            raise _refused() or index_error(error) from error
        finally:
            self._give_back(connection)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection, in a transaction: all its queries see the same moment."""
        connection = self._take()
        try:
            if connection is None:
                connection = self._open()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise index_error(error) from error
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close all connections, once they are given back."""
        self._closed = True
        for connection in [self._take() for _ in range(_READERS)]:
            if connection is not None:
                connection.close()
            self._give_back(None)

    def _take(self) -> sqlite3.Connection | None:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            mine: SimpleQueue[sqlite3.Connection | None] = SimpleQueue()
            self._waiting.append(mine)
        return mine.get()

    def _give_back(self, connection: sqlite3.Connection | None) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().put(connection)
            else:
                self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise OrthancError(ErrorCode.DATABASE, "The index is closed")
        with _opening(self._path, self._connect) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.create_function("upper", 1, _fold, deterministic=True)
            connection.create_function("fits", 2, _fits, deterministic=True)
        return connection


def index_error(error: sqlite3.Error, *, shown: str = "") -> OrthancError:
    """Return the error of Orthanc for a failure of SQLite.

    Parameters
    ----------
    shown
        The path, after a space, for who starts a server; clients are not told where the index is.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return OrthancError(ErrorCode.FULL_STORAGE)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the index{shown}: {error}")
    return OrthancError(ErrorCode.DATABASE, f"Cannot use the index{shown}: {error}")


@contextmanager
def _opening(path: Path, connect: Connect) -> Iterator[sqlite3.Connection]:
    """Open a connection; it is closed again should what is inside fail."""
    connection = connect(path)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        yield connection
    except BaseException:
        connection.close()
        raise


def _fold(value: Any) -> Any:
    # In place of SQLite's upper(), which leaves letters beyond ASCII as they are; PostgreSQL's does not.
    return fold(value) if isinstance(value, str) else value


_refusal = threading.local()  # why `_fits` has failed: SQLite does not pass it on


def _fits(pattern: str, value: Any) -> bool:
    try:
        return isinstance(value, str) and _wildcards(pattern).matches(value)
    except OrthancError as error:
        _refusal.error = error
        raise


def _refused() -> OrthancError | None:
    error: OrthancError | None = vars(_refusal).pop("error", None)
    return error


@functools.lru_cache(maxsize=4)
def _wildcards(pattern: str) -> Wildcards:
    return Wildcards(pattern)
