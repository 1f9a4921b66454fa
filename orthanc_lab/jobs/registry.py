"""The durable list of jobs: one SQLite file, and one commit shared by all who write at the same time."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from orthanc_lab.jobs.rows import JobRow
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Change", "Registry", "checkpoint", "insertion", "new_outputs", "removal", "success", "update"]

Change = tuple[str, tuple[object, ...]]
"""One statement with its values; made by the functions below."""

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
    payload   TEXT,                 -- JSON: what makes the job again; NULL if it stands in `payloads`, or is not needed
    payload_apart INTEGER NOT NULL, -- whether it stands in `payloads`
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
    "INSERT INTO jobs (sequence, id, type, priority, created, state, status, outputs, payload, payload_apart)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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


def insertion(row: JobRow) -> list[Change]:
    """Return the changes that write a new job down."""
    apart = row.payload is not None and len(row.payload) > _LARGE
    values = (row.sequence, row.id, row.type, row.priority, row.created, row.state, row.status, row.outputs)
    changes: list[Change] = [(_INSERT, (*values, None if apart else row.payload, apart))]
    if apart:
        changes.append((_INSERT_PAYLOAD, (row.sequence, row.payload)))
    return changes


def update(sequence: int, state: str, status: str) -> list[Change]:
    """Return the changes for a job that changed its state and may run again."""
    return [(_UPDATE, (state, status, sequence))]


def checkpoint(sequence: int, state: str, status: str, position: str) -> list[Change]:
    """Return the changes for a job that finished a step."""
    return [(_CHECKPOINT, (state, status, position, sequence))]


def success(sequence: int, state: str, status: str, outputs: str) -> list[Change]:
    """Return the changes for a job that will not run again: its payload goes."""
    return [(_SUCCESS, (state, status, outputs, sequence))]


def new_outputs(sequence: int, outputs: str) -> list[Change]:
    """Return the changes for a job that has lost some of its outputs."""
    return [(_OUTPUTS, (outputs, sequence))]


def removal(sequence: int) -> list[Change]:
    """Return the changes that forget a job."""
    return [(_DELETE, (sequence,))]


class _Ticket:
    __slots__ = ("changes", "done", "error")

    def __init__(self, changes: list[Change]) -> None:
        self.changes = changes
        self.done = False
        self.error: sqlite3.Error | None = None


class Registry:
    """The list of jobs on disk.

    Parameters
    ----------
    path
        The SQLite file; None keeps the list in memory only.
    keep
        False starts with an empty list: what is in the file goes with the first change.

    Raises
    ------
    OrthancError
        11 if the file cannot be opened or is no database, 18 if another version wrote it.
    """

    def __init__(self, path: Path | None, *, keep: bool = True) -> None:
        self._writer = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._to_be_cleared = not keep
        self._database = _open(path)

    def rows(self) -> Iterator[JobRow]:
        """Return the jobs on disk in the order of their submission."""
        if self._to_be_cleared:
            return iter(())
        try:
            return map(JobRow._make, self._database.execute(_SELECT_ALL).fetchall())
        except sqlite3.Error as error:
            raise OrthancError(ErrorCode.DATABASE, f"Cannot read the list of jobs: {error}") from error

    def row(self, sequence: int) -> JobRow | None:
        """Return one job on disk, None if it is not there."""
        with self._writer:
            found = self._database.execute(_SELECT_ONE, (sequence,)).fetchone()
        return None if found is None else JobRow._make(found)

    def write(self, changes: list[Change]) -> None:
        """Carry out the changes, all or none; they are on disk when this returns.

        Whoever comes first writes for all that came meanwhile, in one transaction.

        Raises
        ------
        OrthancError
            19 if the disk is full, 36 after `close`, 11 for any other failure.
        """
        ticket = _Ticket(changes)
        self._waiting.append(ticket)
        with self._writer:
            if not ticket.done:
                self._write_all_waiting()
        if ticket.error is not None:
            raise _explained(ticket.error) from ticket.error

    def write_later(self, changes: list[Change]) -> None:
        """Carry out changes that nobody waits for, together with the next ones."""
        self._waiting.append(_Ticket(changes))

    def close(self) -> None:
        """Write what still waits and close the file; later changes are refused."""
        with self._writer:
            if self._waiting:
                self._write_all_waiting()
            self._database.close()

    def _write_all_waiting(self) -> None:
        tickets = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            self._transact(tickets)
        except sqlite3.Error as error:
            if len(tickets) == 1:
                tickets[0].error = error
            else:
                self._write_one_by_one(tickets)
        for ticket in tickets:
            ticket.done = True

    def _write_one_by_one(self, tickets: list[_Ticket]) -> None:
        # One change that cannot be written does not spoil the others.
        for ticket in tickets:
            try:
                self._transact([ticket])
            except sqlite3.Error as error:
                ticket.error = error

    def _transact(self, tickets: list[_Ticket]) -> None:
        database = self._database
        if len(tickets) == 1 and len(tickets[0].changes) == 1 and not self._to_be_cleared:
            database.execute(*tickets[0].changes[0])  # a statement alone is a transaction
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            if self._to_be_cleared:
                database.execute("DELETE FROM jobs")
                database.execute("DELETE FROM payloads")
            for ticket in tickets:
                for statement, values in ticket.changes:
                    database.execute(statement, values)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        self._to_be_cleared = False


def _explained(error: sqlite3.Error) -> OrthancError:
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left to write the list of jobs")
    return OrthancError(ErrorCode.DATABASE, f"Cannot write the list of jobs: {error}")


def _open(path: Path | None) -> sqlite3.Connection:
    database = None
    try:
        database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
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
