"""Deletion of resources with all that belongs to them, and recycling."""

from __future__ import annotations

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.sqlite.attachment_column import read_attachments
from orthanc_lab.storage.sqlite.json_text import as_array, bindable
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["delete", "forget_file", "recycle_one"]

_MOST_STALE_CHANGES = 10_000
_COUNTS = ("patients", "studies", "series", "instances")


def delete(transaction: Transaction, id: str, level: Level | None) -> tuple[bool, tuple[Level, str] | None]:
    """Delete a resource; see `orthanc_lab.storage.ports.Storage.delete`."""
    row = transaction.execute(SQL["place"], (bindable(id),)).fetchone()
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


def forget_file(transaction: Transaction, attachment: Attachment) -> None:
    """Take note that an attachment has no row any more."""
    totals = transaction.totals
    totals.uncompressed_size -= attachment.uncompressed_size
    totals.disk_size -= attachment.compressed_size
    transaction.forgotten.append(attachment.uuid)
    if attachment.row is None:
        transaction.discarded.append(attachment.uuid)
    else:
        transaction.execute(SQL["delete_small_file"], (attachment.row,))


def _forget(transaction: Transaction, doomed: list[tuple[int, int]]) -> None:
    totals = transaction.totals
    transaction.lineages.clear()
    keys = (as_array(key for key, _ in doomed),)
    for (column,) in transaction.execute(SQL["attachments_of"], keys).fetchall():
        for attachment in read_attachments(column).values():
            forget_file(transaction, attachment)
    transaction.execute(SQL["delete_labels"], keys)
    transaction.execute(SQL["delete_resources"], keys)
    for _, depth in doomed:
        count = _COUNTS[depth]
        setattr(totals, count, getattr(totals, count) - 1)
    totals.stale_changes += len(doomed)
    if totals.stale_changes > _MOST_STALE_CHANGES:
        transaction.execute(SQL["purge_changes"])
        totals.stale_changes = 0
