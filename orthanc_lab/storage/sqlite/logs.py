"""The changes and the exports."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.timestamps import iso_seconds, parse_iso
from orthanc_lab.storage.records import Change, Export
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["add_export", "clear_changes", "clear_exports", "last_change", "log_change", "read_changes", "read_exports"]

_SELECT = "SELECT c.seq, c.type, r.level, r.id, c.date FROM changes c JOIN resources r ON r.key = c.resource"
_ADD = "INSERT INTO changes VALUES (?, ?, ?, ?)"
_PARENTS = (
    "WITH RECURSIVE above(level, identifier, parent) AS (SELECT level, identifier, parent FROM resources WHERE id = ?"
    " UNION ALL SELECT p.level, p.identifier, p.parent FROM above JOIN resources p ON p.key = above.parent)"
    " SELECT level, identifier FROM above"
)


def log_change(transaction: Transaction, type: ChangeType, key: int, date: str) -> None:
    """Add a change of the resource with this key."""
    transaction.totals.last_change += 1
    transaction.execute(_ADD, (transaction.totals.last_change, type.value, key, date))


def read_changes(
    connection: sqlite3.Connection, since: int, limit: int, to: int | None, types: Sequence[ChangeType]
) -> tuple[list[Change], bool]:
    """Return the changes after `since` (with `to` alone: the last ones up to it), and whether no more follow."""
    conditions, values = ["c.seq > ?"], [since]
    arguments: list[Any] = values
    if to is not None:
        conditions.append("c.seq <= ?")
        arguments.append(to)
    if types:
        conditions.append(f"c.type IN ({', '.join('?' * len(types))})")
        arguments.extend(type.value for type in types)
    backwards = to is not None and since == 0
    order = "DESC" if backwards else "ASC"
    rows = connection.execute(
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY c.seq {order} LIMIT ?", (*arguments, limit + 1)
    ).fetchall()
    done = len(rows) <= limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    return [_change(row) for row in rows], done


def last_change(connection: sqlite3.Connection) -> Change | None:
    """Return the last change that is still listed."""
    row = connection.execute(f"{_SELECT} ORDER BY c.seq DESC LIMIT 1").fetchone()
    return _change(row) if row else None


def clear_changes(transaction: Transaction) -> None:
    """Forget the changes."""
    transaction.execute("DELETE FROM changes")


def add_export(transaction: Transaction, id: str, remote_modality: str, moment: datetime) -> None:
    """Add a line to the exports; nothing happens for an unknown resource."""
    identifiers = dict(transaction.execute(_PARENTS, (id,)).fetchall())
    if not identifiers:
        return
    transaction.totals.last_export += 1
    transaction.execute(
        "INSERT INTO exports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            transaction.totals.last_export,
            max(identifiers),
            id,
            remote_modality,
            iso_seconds(moment),
            *(identifiers.get(level.depth, "") for level in LEVELS),
        ),
    )


def read_exports(connection: sqlite3.Connection, since: int, limit: int) -> tuple[list[Export], bool]:
    """Return the exports after `since`, and whether no more follow."""
    rows = connection.execute("SELECT * FROM exports WHERE seq > ? ORDER BY seq LIMIT ?", (since, limit + 1)).fetchall()
    exports = [
        Export(seq, LEVELS[level], id, modality, parse_iso(date), *identifiers)
        for seq, level, id, modality, date, *identifiers in rows[:limit]
    ]
    return exports, len(rows) <= limit


def clear_exports(transaction: Transaction) -> None:
    """Forget the exports."""
    transaction.execute("DELETE FROM exports")


def _change(row: tuple[int, str, int, str, str]) -> Change:
    seq, type, depth, id, date = row
    level: Level = LEVELS[depth]
    return Change(seq, ChangeType(type), level, id, parse_iso(date))
