"""The file area in a table (``EnableStorage``)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.area import AreaError
from orthanc_lab.storage.postgresql_files.tables import prepare_tables

__all__ = ["DatabaseArea"]

_CHUNK = 1 << 20  # bytes; the database holds no more of a file in its memory
_AT_ONCE = 8  # chunks that are read by one query

_FIRST = "INSERT INTO file_chunks (name, number, data) VALUES (%s, 0, %b) ON CONFLICT DO NOTHING RETURNING true"
_NEXT = "INSERT INTO file_chunks (name, number, data) VALUES (%s, %s, %b)"
_EXISTS = "SELECT true FROM file_chunks WHERE name = %s AND number = 0"
_CHUNKS = "SELECT data FROM file_chunks WHERE name = %s AND number BETWEEN %s AND %s ORDER BY number"
_PART = "SELECT substring(data FROM %s FOR %s) FROM file_chunks WHERE name = %s AND number = %s"
_REMOVE = "DELETE FROM file_chunks WHERE name = %s"


class DatabaseArea:
    """Files in a table, cut into chunks of 1 MB."""

    def __init__(self, database: Database) -> None:
        prepare_tables(database)
        self._database = database

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file."""

        def operation(connection: Connection) -> None:
            view = memoryview(data)
            if connection.execute(_FIRST, (name, view[:_CHUNK])).fetchone() is None:
                raise FileExistsError(f"There is a file {name} in the database already")
            for number, start in enumerate(range(_CHUNK, len(data), _CHUNK), 1):
                connection.execute(_NEXT, (name, number, view[start : start + _CHUNK]))

        with _errors_of_area():
            self._database.run(operation, guards=())

    def sync(self, name: str) -> None:
        """Return at once: what was written is in the database."""

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return the content of a file from `offset` on, or `size` bytes of it, less at its end."""
        first, skipped = divmod(offset, _CHUNK)
        if size is not None and skipped + size <= _CHUNK:
            found = self._fetch(_PART, (skipped + 1, size, name, first))
        else:
            last = None if size is None else (offset + size - 1) // _CHUNK
            found = b"".join(self._chunks(name, first, last))
            found = found[skipped : None if size is None else skipped + size]
        if not found and not self._exists(name):
            raise FileNotFoundError(f"There is no file {name} in the database")
        return found

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        with _errors_of_area():
            self._database.run(lambda connection: connection.execute(_REMOVE, (name,)), guards=())

    def _exists(self, name: str) -> bool:
        with _errors_of_area():
            return bool(self._database.fetch(_EXISTS, (name,)))

    def _chunks(self, name: str, first: int, last: int | None) -> Iterator[bytes]:
        while last is None or first <= last:
            end = first + _AT_ONCE - 1 if last is None else min(first + _AT_ONCE - 1, last)
            with _errors_of_area():
                rows = self._database.fetch(_CHUNKS, (name, first, end), binary=True)
            for (data,) in rows:
                yield data
            if len(rows) < _AT_ONCE:
                return
            first += _AT_ONCE

    def _fetch(self, query: str, parameters: tuple[object, ...]) -> bytes:
        with _errors_of_area():
            rows = self._database.fetch(query, parameters, binary=True)
        return bytes(rows[0][0]) if rows else b""


@contextmanager
def _errors_of_area() -> Iterator[None]:
    try:
        yield
    except OrthancError as error:
        if error.code == ErrorCode.FULL_STORAGE:
            raise OSError(errno.ENOSPC, error.text) from error
        words = f"{error.text}: {error.details}" if error.details else error.text
        raise AreaError(words, is_away=error.code == ErrorCode.DATABASE_UNAVAILABLE) from error
