"""The changes, the exports, the totals and the properties, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.storage.postgresql.reading import Reading
from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql.text import limited, restored, storable
from orthanc_lab.storage.records import Change, Export, ResourceStatistics, Statistics

__all__ = ["LogQueries"]


class LogQueries(Reading):
    """What the index has logged and counted."""

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since` (with `to` alone: the last ones up to it), and whether that is all."""
        conditions = ["c.seq > %s"]
        values: list[Any] = [limited(since)]
        if to is not None:
            conditions.append("c.seq <= %s")
            values.append(limited(to))
        if types:
            conditions.append("c.type = ANY(%s::text[])")
            values.append([type.value for type in types])
        backwards = to is not None and since == 0
        query = (
            "SELECT c.seq, c.type, r.level, r.id, c.date FROM changes c"  # noqa: S608 # no value is in it
            " CROSS JOIN LATERAL (SELECT * FROM resources WHERE key = c.resource OFFSET 0) r"
            f" WHERE {' AND '.join(conditions)} ORDER BY c.seq {'DESC' if backwards else 'ASC'} LIMIT %s"
        )
        rows = self._fetch(query, (*values, limited(limit) + 1))
        done = len(rows) <= limit
        rows = rows[:limit]
        if backwards:
            rows.reverse()
        return [_change(row) for row in rows], done

    def last_change(self) -> Change | None:
        """Return the last change that is still listed."""
        rows = self._fetch(SQL["last_change"])
        return _change(rows[0]) if rows else None

    def version(self) -> None:
        """Return None: other servers change the index too."""

    def last_change_number(self) -> int:
        """Return the number of the last change ever logged."""
        number: int = self._fetch(SQL["last_change_number"])[0][0]
        return number

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        """Return the exports after `since`, and whether that is all."""
        rows = self._fetch(SQL["exports"], (limited(since), limited(limit) + 1))
        exports = [
            Export(seq, LEVELS[depth], id, restored(modality), parse_iso(date), *map(restored, identifiers))
            for seq, depth, id, modality, date, *identifiers in rows[:limit]
        ]
        return exports, len(rows) <= limit

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        return Statistics(*self._fetch(SQL["statistics"])[0])

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource."""
        *totals, found = self._fetch(SQL["below"], (storable(id),))[0]
        if not found:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        return ResourceStatistics(*totals)

    def get_property(self, name: str) -> str | None:
        """Return a global property."""
        rows = self._fetch(SQL["property"], (storable(name),))
        return restored(rows[0][0]) if rows else None


def _change(row: tuple[int, str, int, str, str]) -> Change:
    seq, type, depth, id, date = row
    return Change(seq, ChangeType(type), LEVELS[depth], id, parse_iso(date))
