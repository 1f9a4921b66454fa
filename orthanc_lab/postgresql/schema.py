"""The tables of this program in a database: made and brought up to date room by room, by one server at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from orthanc_lab.postgresql.connections import SCHEMA
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["migrate", "prepare"]

_OLDEST = 130_000  # of the versions of PostgreSQL
_LOCK = 0x6F72_7468  # of those who change the schema
_BASE = """
CREATE SCHEMA orthanc_lab;
CREATE TABLE orthanc_lab.versions (room text PRIMARY KEY, version integer NOT NULL);
-- The last transaction of each connection: whether it is here tells whether it was committed. Rows are replaced, never
-- updated: as long as a backup looks at an old moment, an updated one would be sought among all its old versions.
CREATE TABLE orthanc_lab.outcomes (
    session text NOT NULL,
    number  bigint NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session, number)
);
"""


def prepare(connection: psycopg.Connection[Any]) -> None:
    """Make what `orthanc_lab.postgresql.database.Database` needs, unless it is there.

    Raises
    ------
    OrthancError
        11 if the database is too old or not in UTF-8, or if it is only to be read and there is nothing.
    """
    version = connection.info.server_version
    if version < _OLDEST:
        raise OrthancError(ErrorCode.DATABASE, f"PostgreSQL 13 or later is needed, this is {version // 10_000}")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise OrthancError(ErrorCode.DATABASE, f"The database must have the encoding UTF8, it has {encoding}")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        row = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.outcomes",)).fetchone()
        is_new = row is not None and row[0] is None
        if _is_read_only(connection):
            if is_new:
                raise OrthancError(ErrorCode.DATABASE, "The database has no tables of this program")
            return
        if is_new:
            connection.execute(_BASE)
        connection.execute("DELETE FROM outcomes WHERE at < now() - interval '1 day'")


def migrate(connection: psycopg.Connection[Any], room: str, steps: Sequence[str]) -> None:
    """Bring the tables of one part of the program to the version that it knows, inside a transaction.

    Parameters
    ----------
    room
        Whose tables they are.
    steps
        The statements that lead from each version to the next one, from an empty database on. A step that has been
        released is never changed.

    Raises
    ------
    OrthancError
        18 if a newer version of this program has changed them, or an older one, and nothing may be written.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    row = connection.execute("SELECT version FROM versions WHERE room = %s", (room,)).fetchone()
    version: int = 0 if row is None else row[0]
    if version > len(steps) or (version < len(steps) and _is_read_only(connection)):
        raise OrthancError(
            ErrorCode.INCOMPATIBLE_DATABASE_VERSION,
            f"The tables of the {room} have version {version}, expected {len(steps)}",
        )
    if version == len(steps):
        return
    for step in steps[version:]:
        connection.execute(step.encode())
    connection.execute(
        "INSERT INTO versions (room, version) VALUES (%s, %s)"
        " ON CONFLICT (room) DO UPDATE SET version = excluded.version",
        (room, len(steps)),
    )


def _is_read_only(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("SHOW transaction_read_only").fetchone()
    return row is not None and row[0] == "on"
