"""What a transaction is going to write: rows of the same table go into one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql.text import write_json
from orthanc_lab.storage.transaction import Key

__all__ = ["Pending"]

_MOST_BYTES = 8 << 20  # of small files in one statement


class Pending:
    """Rows that are kept back until something is read, or until the commit."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._execute = connection.execute
        self.resources: list[dict[str, Any]] = []
        self.small_files: list[tuple[int, bytes]] = []
        self.files: list[str] = []  # names of those in the storage area
        self.changes: list[tuple[int, str, Key, str]] = []
        self.touches: dict[Key, tuple[str, int]] = {}
        self.ranks: dict[Key, int | None] = {}

    def flush(self) -> None:
        """Send all that is kept back, without waiting for the answers."""
        execute = self._execute
        if self.resources:
            execute(SQL["add_resources"], (write_json(self.resources),))
            self.resources = []
        if self.small_files:
            for part in _parts(self.small_files):
                execute(SQL["add_small_files"], ([key for key, _ in part], [content for _, content in part]))
            self.small_files = []
        if self.files:
            execute(SQL["add_files"], (self.files,))
            self.files = []
        if self.touches:
            dates, numbers = zip(*self.touches.values(), strict=True)
            execute(SQL["touch"], (list(self.touches), list(dates), list(numbers)))
            self.touches = {}
        if self.ranks:
            execute(SQL["rerank"], (list(self.ranks), list(self.ranks.values())))
            self.ranks = {}
        if self.changes:
            execute(SQL["add_changes"], tuple(map(list, zip(*self.changes, strict=True))))
            self.changes = []


def _parts(files: Sequence[tuple[int, bytes]]) -> Iterator[Sequence[tuple[int, bytes]]]:
    start = size = 0
    for number, (_, content) in enumerate(files):
        if size and size + len(content) > _MOST_BYTES:
            yield files[start:number]
            start, size = number, 0
        size += len(content)
    yield files[start:]
