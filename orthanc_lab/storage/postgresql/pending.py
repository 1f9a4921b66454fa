"""What a transaction is going to write: all of it goes into one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql.text import write_json
from orthanc_lab.storage.transaction import Key

__all__ = ["Pending"]

_MOST_BYTES = 8 << 20  # of small files in one statement
_MOST_RESOURCES = 1000


class Pending:
    """Rows that are kept back until something is read, or until the commit."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._start()

    def _start(self) -> None:
        self.resources: dict[Key, dict[str, Any]] = {}  # new ones: columns and values
        self.small_files: dict[int, bytes] = {}
        self.files: list[str] = []  # names of those in the storage area
        self.changes: list[tuple[int, str, Key, str]] = []
        self._touches: dict[Key, tuple[str, int]] = {}
        self._ranks: dict[Key, int | None] = {}
        self._bytes = 0

    def add_resource(self, key: Key, row: dict[str, Any]) -> None:
        """Add a new resource: columns and values; many of them do not wait for the rest."""
        if len(self.resources) >= _MOST_RESOURCES:
            self.flush()
        self.resources[key] = row

    def add_small_file(self, key: int, content: bytes) -> None:
        """Add the content of a small file; many of them do not wait for the rest."""
        self.small_files[key] = content
        self._bytes += len(content)
        if self._bytes > _MOST_BYTES:
            self.flush()

    def touch(self, key: Key, date: str, number: int) -> None:
        """Note a new instance below a resource."""
        new = self.resources.get(key)
        if new is None:
            self._touches[key] = date, number
        else:
            new["last_update"], new["touched"] = date, number

    def set_rank(self, patient: Key, rank: int | None) -> None:
        """Give a patient another place among those to be recycled."""
        new = self.resources.get(patient)
        if new is None:
            self._ranks[patient] = rank
        else:
            new["rank"] = rank

    def flush(self, totals: Sequence[int] | None = None) -> None:
        """Send all that is kept back, without waiting for the answer.

        Parameters
        ----------
        totals
            What the row of totals is to be from now on; None if it is written later.
        """
        values: list[Any] = [
            write_json(list(self.resources.values())) if self.resources else None,
            _array(self.small_files) if self.small_files else None,
            list(self.small_files.values()) or None,
            self.files or None,
            write_json([(key, *touch) for key, touch in self._touches.items()]) if self._touches else None,
            write_json(list(self._ranks.items())) if self._ranks else None,
            write_json(self.changes) if self.changes else None,
            None if totals is None else _array(totals),
        ]
        if any(value is not None for value in values):
            self._connection.execute(SQL["write"], values)
            self._start()


def _array(numbers: Iterable[int]) -> str:
    """Return an array as PostgreSQL writes it, which psycopg would take several times as long for."""
    return f"{{{','.join(map(str, numbers))}}}"
