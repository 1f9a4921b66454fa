"""The list of jobs in one SQLite file, with one commit for all who write at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orthanc_lab.jobs.store import Change, Completion, JobRow, OutputsChange, Removal, StatusChange
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.group_commit import GroupCommit
from orthanc_lab.protocol.private_files import create_private_file

__all__ = ["SqliteJobStore", "connect"]

_VERSION = 1  # as `user_version` of the schema
_SCHEMA = """
BEGIN;
PRAGMA user_version = 1;
CREATE TABLE jobs (
    sequence  INTEGER PRIMARY KEY,  -- order of submission
    id        TEXT NOT NULL,
    type      TEXT NOT NULL,
    priority  INTEGER NOT NULL,
    created   TEXT NOT NULL,        -- ISO 8601, UTC
    state     TEXT NOT NULL,
    status    TEXT NOT NULL,        -- JSON: progress, content, error, run time …
    outputs   TEXT NOT NULL,        -- JSON: key -> file, type, name
    payload   TEXT,                 -- JSON: what makes the job again; NULL if it is in `payloads`, or not needed
    payload_apart INTEGER NOT NULL, -- whether it is in `payloads`
    position  TEXT                  -- JSON: the keys of the payload that have changed since
);
CREATE TABLE payloads (  -- large ones, so that a checkpoint does not write them again
    sequence  INTEGER PRIMARY KEY,
    payload   TEXT NOT NULL
);
CREATE TRIGGER payload_of_a_success AFTER UPDATE OF payload ON jobs WHEN NEW.payload_apart
    BEGIN DELETE FROM payloads WHERE sequence = NEW.sequence; END;
CREATE TRIGGER payload_of_a_removed_job AFTER DELETE ON jobs WHEN OLD.payload_apart
    BEGIN DELETE FROM payloads WHERE sequence = OLD.sequence; END;
COMMIT;
"""
_INSERT = (
    "INSERT INTO jobs (sequence, id, type, priority, created, state, status, outputs, payload, payload_apart, position)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_PAYLOAD = "INSERT INTO payloads (sequence, payload) VALUES (?, ?)"
_UPDATE = "UPDATE jobs SET state = ?, status = ? WHERE sequence = ?"
_CHECKPOINT = "UPDATE jobs SET state = ?, status = ?, position = ? WHERE sequence = ?"
_SUCCESS = "UPDATE jobs SET state = ?, status = ?, outputs = ?, payload = NULL, position = NULL WHERE sequence = ?"
_OUTPUTS = "UPDATE jobs SET outputs = ? WHERE sequence = ?"
_DELETE = "DELETE FROM jobs WHERE sequence = ?"
_SELECT = (
    "SELECT sequence, id, type, priority, created, state, status, outputs,"
    " coalesce(jobs.payload, payloads.payload), position"
    " FROM jobs LEFT JOIN payloads USING (sequence)"
)
_SELECT_ALL = f"{_SELECT} ORDER BY sequence"
_SELECT_ONE = f"{_SELECT} WHERE sequence = ?"
_LARGE = 2500  # characters of a payload; a page of the file has 4096 bytes
_LARGEST_GROUP = 10_000  # changes that share a commit
_IN_MEMORY = Path(":memory:")

_Statement = tuple[str, tuple[object, ...]]


class _Closing:
    """Comes after all other changes."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection to the file of a list of jobs, for any thread and without transactions of its own."""
    if path != _IN_MEMORY:
        create_private_file(path)  # SQLite gives its log the mode of this file
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class SqliteJobStore:
    """The list of jobs in a file.

    Parameters
    ----------
    path
        The SQLite file; None keeps the list in memory only.
    keep
        False starts with an empty list: what is in the file goes with the first change, or at the end.
    connect
        Opens a connection to a file.

    Raises
    ------
    OrthancError
        11 if the file cannot be opened or is not a database, 18 if another version wrote it.
    """

    def __init__(
        self, path: Path | None, *, keep: bool = True, connect: Callable[[Path], sqlite3.Connection] = connect
    ) -> None:
        self._to_be_cleared = not keep
        self._closing = False
        self._database = _open(path or _IN_MEMORY, connect)
        self._in_use = threading.Lock()  # the connection
        self._group: GroupCommit[Change | _Closing] = GroupCommit(self._commit, largest=_LARGEST_GROUP)

    def rows(self) -> Sequence[JobRow]:
        """Return all jobs in the order of their submission."""
        return [] if self._to_be_cleared else self._select(_SELECT_ALL, ())

    def row(self, sequence: int) -> JobRow | None:
        """Return one job, None if it is not in the list."""
        return next(iter(self._select(_SELECT_ONE, (sequence,))), None)

    def write(self, change: Change) -> None:
        """Carry out a change; it is on disk when this returns."""
        try:
            self._group.run(change)
        except sqlite3.Error as error:
            raise _explained(error, "write") from error

    def write_later(self, change: Change) -> None:
        """Carry out a change together with the next one."""
        self._group.add(change)

    def close(self) -> None:
        """Write what is left to be written and close the file, also if that fails.

        Raises
        ------
        OrthancError
            As `write`, if a list that was not to be kept cannot be removed: it is there at the next start.
        """
        self._closing = True
        try:
            self._group.run(_Closing())
        except sqlite3.Error as error:
            raise _explained(error, "write") from error
        finally:
            with self._in_use:
                self._to_be_cleared = False
                self._database.close()

    def _select(self, statement: str, values: tuple[object, ...]) -> list[JobRow]:
        try:
            with self._in_use:
                found = self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _explained(error, "read") from error
        return [JobRow(*columns) for columns in found]

    def _commit(self, changes: list[Change | _Closing]) -> None:
        if len(changes) == 1:
            statements = _STATEMENTS[type(changes[0])](changes[0])
        else:
            statements = [statement for change in changes for statement in _STATEMENTS[type(change)](change)]
        with self._in_use:
            if statements or (self._closing and self._to_be_cleared):
                self._transact(statements)

    def _transact(self, statements: Sequence[_Statement]) -> None:
        database = self._database
        if len(statements) == 1 and not self._to_be_cleared:
            database.execute(*statements[0])  # a statement alone is a transaction
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            if self._to_be_cleared:
                database.execute("DELETE FROM jobs")
                database.execute("DELETE FROM payloads")
            for statement, values in statements:
                database.execute(statement, values)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        self._to_be_cleared = False


def _insertion(row: JobRow) -> Sequence[_Statement]:
    apart = row.payload is not None and len(row.payload) > _LARGE
    values = (row.sequence, row.id, row.type, row.priority, row.created, row.state, row.status, row.outputs)
    insertion = (_INSERT, (*values, None if apart else row.payload, apart, row.position))
    return (insertion, (_INSERT_PAYLOAD, (row.sequence, row.payload))) if apart else (insertion,)


def _status_change(change: StatusChange) -> Sequence[_Statement]:
    if change.position is None:
        return ((_UPDATE, (change.state, change.status, change.sequence)),)
    return ((_CHECKPOINT, (change.state, change.status, change.position, change.sequence)),)


_STATEMENTS: dict[type[Any], Callable[[Any], Sequence[_Statement]]] = {
    JobRow: _insertion,
    StatusChange: _status_change,
    Completion: lambda it: ((_SUCCESS, (it.state, it.status, it.outputs, it.sequence)),),
    OutputsChange: lambda it: ((_OUTPUTS, (it.outputs, it.sequence)),),
    Removal: lambda it: ((_DELETE, (it.sequence,)),),
    _Closing: lambda it: (),
}


def _explained(error: sqlite3.Error, verb: str) -> OrthancError:
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left to write the list of jobs")
    return OrthancError(ErrorCode.DATABASE, f"Cannot {verb} the list of jobs: {error}")


def _open(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> sqlite3.Connection:
    database = None
    try:
        database = connect(path)
        database.execute("PRAGMA journal_mode = WAL")
        # A commit is in the hands of the system when it returns: enough for a killed process.
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; each checkpoint waits for the disk
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(_SCHEMA)
    except sqlite3.Error as error:
        if database is not None:
            database.close()
        raise OrthancError(ErrorCode.DATABASE, f"Cannot open the list of jobs {path}: {error}") from error
    if version not in (0, _VERSION):
        database.close()
        text = f"The list of jobs {path} was written by another version ({version} instead of {_VERSION})"
        raise OrthancError(ErrorCode.INCOMPATIBLE_DATABASE_VERSION, text)
    return database
