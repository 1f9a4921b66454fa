"""The changes and the exports, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.storage.records import Change, Export
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.json_text import as_array
from orthanc_lab.storage.sqlite.statements import SQL

__all__ = ["LogQueries"]


class LogQueries:
    """What the index has logged."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since` (with `to` alone: the last ones up to it), and whether that is all."""
        conditions = ["c.seq > ?"]
        values: list[Any] = [since]
        if to is not None:
            conditions.append("c.seq <= ?")
            values.append(to)
        if types:
            conditions.append("c.type IN (SELECT value FROM json_each(?))")
            values.append(as_array(type.value for type in types))
        backwards = to is not None and since == 0
        query = (
            "SELECT c.seq, c.type, r.level, r.id, c.date FROM changes c JOIN resources r ON r.key = c.resource"  # noqa: S608 # no value is in it
            f" WHERE {' AND '.join(conditions)} ORDER BY c.seq {'DESC' if backwards else 'ASC'} LIMIT ?"
        )
        rows = self._readers.fetch(query, (*values, limit + 1))
        done = len(rows) <= limit
        rows = rows[:limit]
        if backwards:
            rows.reverse()
        return [_change(row) for row in rows], done

    def last_change(self) -> Change | None:
        """Return the last change that is still listed."""
        rows = self._readers.fetch(SQL["last_change"])
        return _change(rows[0]) if rows else None

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        """Return the exports after `since`, and whether that is all."""
        rows = self._readers.fetch(SQL["exports"], (since, limit + 1))
        exports = [
            Export(seq, LEVELS[depth], id, modality, parse_iso(date), *identifiers)
            for seq, depth, id, modality, date, *identifiers in rows[:limit]
        ]
        return exports, len(rows) <= limit


def _change(row: tuple[int, str, int, str, str]) -> Change:
    seq, type, depth, id, date = row
    return Change(seq, ChangeType(type), LEVELS[depth], id, parse_iso(date))
