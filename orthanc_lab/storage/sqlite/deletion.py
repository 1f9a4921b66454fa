"""Deletion of resources with all that belongs to them, and recycling."""

from __future__ import annotations

import orjson

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["delete", "delete_attachments", "recycle_one"]

_BELOW = (
    "WITH RECURSIVE below(key, level) AS (SELECT ?, ? UNION ALL"
    " SELECT c.key, c.level FROM below JOIN resources c ON c.parent = below.key) SELECT key, level FROM below"
)
_COUNTS = ("patients", "studies", "series", "instances")


def delete(transaction: Transaction, id: str, level: Level | None) -> tuple[bool, tuple[Level, str] | None]:
    """Delete a resource; see `orthanc_lab.storage.ports.Storage.delete`."""
    row = transaction.execute("SELECT key, level, parent FROM resources WHERE id = ?", (id,)).fetchone()
    if row is None or (level is not None and row[1] != level.depth):
        return False, None
    key, depth, parent = row
    doomed = transaction.execute(_BELOW, (key, depth)).fetchall()
    remaining = None
    while parent is not None:
        siblings = transaction.execute("SELECT key FROM resources WHERE parent = ? LIMIT 2", (parent,)).fetchall()
        above, above_depth, above_id = transaction.execute(
            "SELECT parent, level, id FROM resources WHERE key = ?", (parent,)
        ).fetchone()
        if len(siblings) > 1:
            remaining = (LEVELS[above_depth], above_id)
            break
        doomed.append((parent, above_depth))
        parent = above
    _forget(transaction, doomed)
    return True, remaining


def recycle_one(transaction: Transaction, spared: int | None) -> bool:
    """Delete the patient that was not stored to for the longest time; False if there is none to delete.

    Parameters
    ----------
    spared
        Key of the patient that must stay.
    """
    row = transaction.execute(
        "SELECT id FROM resources WHERE rank IS NOT NULL AND key <> ? ORDER BY rank LIMIT 1", (spared or 0,)
    ).fetchone()
    return row is not None and delete(transaction, row[0], Level.PATIENT)[0]


def delete_attachments(transaction: Transaction, keys: list[int], type: int | None = None) -> None:
    """Delete the attachments of resources, or those of one type."""
    condition = "resource IN (SELECT value FROM json_each(?))" + ("" if type is None else " AND type = ?")
    arguments = (orjson.dumps(keys).decode(), *(() if type is None else (type,)))
    rows = transaction.execute(
        f"DELETE FROM attachments WHERE {condition} RETURNING uuid, uncompressed_size, compressed_size, small_file",
        arguments,
    ).fetchall()
    for _, uncompressed, compressed, _ in rows:
        transaction.totals.uncompressed_size -= uncompressed
        transaction.totals.disk_size -= compressed
    transaction.executemany("DELETE FROM small_files WHERE key = ?", [(row,) for *_, row in rows if row is not None])
    transaction.discarded.extend(uuid for uuid, *_, row in rows if row is None)


def _forget(transaction: Transaction, doomed: list[tuple[int, int]]) -> None:
    transaction.lineages.clear()
    keys = [key for key, _ in doomed]
    delete_attachments(transaction, keys)
    array = orjson.dumps(keys).decode()
    for table in ("labels", "changes"):
        transaction.execute(f"DELETE FROM {table} WHERE resource IN (SELECT value FROM json_each(?))", (array,))
    transaction.execute("DELETE FROM resources WHERE key IN (SELECT value FROM json_each(?))", (array,))
    for _, depth in doomed:
        name = _COUNTS[depth]
        setattr(transaction.totals, name, getattr(transaction.totals, name) - 1)
