"""Empty databases of one PostgreSQL, for servers that are measured on it."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from orthanc_lab.bench.servers import ServerError
from orthanc_lab.testing.postgresql_server import PostgresqlServer, execute

__all__ = ["Databases"]

_PLUGIN = "/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so"  # of Debian; our own server needs none
_COMMON = {
    "IndexConnectionsCount": 4,  # of each server
    "MaximumConnectionRetries": 100,  # Orthanc answers 503 when writers have collided more often than this
}


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
        self._open = ExitStack()
        self._server = None if uri else PostgresqlServer(durable=True)
        self._made: list[str] = []

    def __enter__(self) -> Databases:
        if self._server is not None:
            self._open.enter_context(self._server)
            self._uri = f"postgresql://{self._server.user}@127.0.0.1:{self._server.port}/postgres"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._made:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._open.close()

    def options(self) -> dict[str, Any]:
        """Return the options of a server, real or ours, that keeps its index in a new database."""
        name = f"orthanc_bench_{secrets.token_hex(4)}"
        self._execute(f'CREATE DATABASE "{name}"')
        self._made.append(name)
        section = {"EnableIndex": True, "ConnectionUri": f"{self._uri.rpartition('/')[0]}/{name}", "Lock": False}
        return {"Plugins": [_PLUGIN], "PostgreSQL": {**section, **_COMMON}}

    def check(self, options: dict[str, Any]) -> None:
        """See that a server uses its database.

        Raises
        ------
        ServerError
            If it is not connected: then it keeps its index elsewhere.
        """
        name = options["PostgreSQL"]["ConnectionUri"].rpartition("/")[2]
        query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - a name of ours
        if self._execute(query) == (0,):
            raise ServerError("A server does not keep its index in PostgreSQL")

    def _execute(self, statement: str) -> tuple[Any, ...] | None:
        return execute(self._uri, statement)
