"""Empty databases of one PostgreSQL, for servers that are measured on it."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from orthanc_lab.testing.postgresql_server import PostgresqlServer

__all__ = ["Databases"]

_PLUGIN = "/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so"  # of Debian; our own server needs none
_CONNECTIONS = 4  # of each server


class Databases:
    """A database for each server, in a throw-away PostgreSQL that waits for the disk, or in one that is there.

    Parameters
    ----------
    uri
        Where databases may be made, ``postgresql://user:password@host:5432/postgres``; "" starts a throw-away server
        from the installed programs.

    Raises
    ------
    FileNotFoundError
        If there is no URI, and PostgreSQL is not installed.
    """

    def __init__(self, uri: str = "") -> None:
        self._uri = uri
        self._server = None if uri else PostgresqlServer(durable=True)
        self._open = ExitStack()
        self._made: list[str] = []

    def __enter__(self) -> Databases:
        if self._server is not None:
            self._open.enter_context(self._server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._made:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._open.close()

    def options(self) -> dict[str, Any]:
        """Return the options of a server, real or ours, that keeps its index in a new database."""
        if self._server is not None:
            section = self._server.create_database().section
        else:
            section = {"EnableIndex": True, "ConnectionUri": self._new(), "Lock": False}
        return {"Plugins": [_PLUGIN], "PostgreSQL": {**section, "IndexConnectionsCount": _CONNECTIONS}}

    def _new(self) -> str:
        name = f"orthanc_bench_{secrets.token_hex(4)}"
        self._execute(f'CREATE DATABASE "{name}"')
        self._made.append(name)
        head, _, _ = self._uri.rpartition("/")
        return f"{head}/{name}"

    def _execute(self, statement: str) -> None:
        import psycopg  # noqa: PLC0415 - not installed without the extra ``cluster``

        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute(statement.encode())
