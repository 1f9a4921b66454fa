"""Deletion of resources with all that belongs to them, and recycling."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.sqlite.resources import as_array
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["delete", "delete_attachment", "recycle_one"]

_COUNTS = ("patients", "studies", "series", "instances")


def delete(transaction: Transaction, id: str, level: Level | None) -> tuple[bool, tuple[Level, str] | None]:
    """Delete a resource; see `orthanc_lab.storage.ports.Storage.delete`."""
    row = transaction.execute(SQL["place"], (id,)).fetchone()
    if row is None or (level is not None and row[1] != level.depth):
        return False, None
    key, depth, parent = row
    doomed = transaction.execute(SQL["below"], (key, depth)).fetchall()
    remaining = None
    while parent is not None:
        siblings = transaction.execute(SQL["two_children"], (parent,)).fetchall()
        above, above_depth, above_id = transaction.execute(SQL["above"], (parent,)).fetchone()
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
    row = transaction.execute(SQL["next_to_recycle"], (spared or 0,)).fetchone()
    return row is not None and delete(transaction, row[0], Level.PATIENT)[0]


def delete_attachment(transaction: Transaction, key: int, type: int) -> bool:
    """Delete one attachment of a resource; False if there is none."""
    rows = transaction.execute(SQL["delete_attachment"], (key, int(type))).fetchall()
    _forget_files(transaction, rows)
    return bool(rows)


def _forget(transaction: Transaction, doomed: list[tuple[int, int]]) -> None:
    transaction.lineages.clear()
    keys = (as_array(key for key, _ in doomed),)
    _forget_files(transaction, transaction.execute(SQL["delete_attachments"], keys).fetchall())
    for query in ("delete_labels", "delete_changes", "delete_resources"):
        transaction.execute(SQL[query], keys)
    for _, depth in doomed:
        count = _COUNTS[depth]
        setattr(transaction.totals, count, getattr(transaction.totals, count) - 1)


def _forget_files(transaction: Transaction, rows: Iterable[Any]) -> None:
    small = []
    for uuid, uncompressed_size, compressed_size, small_file in rows:
        transaction.totals.uncompressed_size -= uncompressed_size
        transaction.totals.disk_size -= compressed_size
        transaction.forgotten.append(uuid)
        if small_file is None:
            transaction.discarded.append(uuid)
        else:
            small.append(small_file)
    if small:
        transaction.execute(SQL["delete_small_files"], (as_array(small),))
