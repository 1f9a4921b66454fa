"""The changes and the exports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.protocol.timestamps import iso_seconds, parse_iso
from orthanc_lab.storage.records import Change, Export
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.json_text import as_array, bindable
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["add_export", "clear_changes", "clear_exports", "last_change", "log_change", "read_changes", "read_exports"]

_ADD = SQL["add_change"]


def log_change(transaction: Transaction, type: ChangeType, key: int, date: str) -> None:
    """Add a change of the resource with this key."""
    totals = transaction.totals
    totals.last_change += 1
    transaction.execute(_ADD, (totals.last_change, type.value, key, date))


def read_changes(
    readers: Readers, since: int, limit: int, to: int | None, types: Sequence[ChangeType]
) -> tuple[list[Change], bool]:
    """Return the changes after `since` (with `to` alone: the last ones up to it), and whether no more follow."""
    conditions, arguments = ["c.seq > ?"], [since]
    values: list[Any] = arguments
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
    rows = readers.fetch(query, (*values, limit + 1))
    done = len(rows) <= limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    return [_change(row) for row in rows], done


def last_change(readers: Readers) -> Change | None:
    """Return the last change that is still listed."""
    rows = readers.fetch(SQL["last_change"])
    return _change(rows[0]) if rows else None


def clear_changes(transaction: Transaction) -> None:
    """Forget the changes."""
    transaction.execute(SQL["clear_changes"])


def add_export(transaction: Transaction, id: str, remote_modality: str, moment: datetime) -> None:
    """Add a line to the exports; nothing happens for an unknown resource."""
    rows = transaction.execute(SQL["ancestors"], (bindable(id),)).fetchall()
    if not rows:
        return
    identifiers = {depth: identifier for depth, _, identifier in rows}
    transaction.totals.last_export += 1
    transaction.execute(
        SQL["add_export"],
        (
            transaction.totals.last_export,
            max(identifiers),
            id,
            remote_modality,
            iso_seconds(moment),
            *(identifiers.get(level.depth, "") for level in LEVELS),
        ),
    )


def read_exports(readers: Readers, since: int, limit: int) -> tuple[list[Export], bool]:
    """Return the exports after `since`, and whether no more follow."""
    rows = readers.fetch(SQL["exports"], (since, limit + 1))
    exports = [
        Export(seq, LEVELS[depth], id, modality, parse_iso(date), *identifiers)
        for seq, depth, id, modality, date, *identifiers in rows[:limit]
    ]
    return exports, len(rows) <= limit


def clear_exports(transaction: Transaction) -> None:
    """Forget the exports."""
    transaction.execute(SQL["clear_exports"])


def _change(row: tuple[int, str, int, str, str]) -> Change:
    seq, type, depth, id, date = row
    return Change(seq, ChangeType(type), LEVELS[depth], id, parse_iso(date))
