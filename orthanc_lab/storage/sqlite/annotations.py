"""Metadata, labels, protection: what people add to a resource."""

from __future__ import annotations

import orjson

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["change_metadata", "key_of", "set_label", "set_protected"]


def key_of(transaction: Transaction, id: str) -> int:
    """Return the key of a resource.

    Raises
    ------
    OrthancError
        17 if it is unknown.
    """
    row = transaction.execute("SELECT key FROM resources WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    key: int = row[0]
    return key


def change_metadata(transaction: Transaction, id: str, name: str, value: str | None, logged: str) -> bool:
    """Write a metadata, or delete it (None); False if there is none to delete.

    Parameters
    ----------
    logged
        Date of the UpdatedMetadata change; empty for none.
    """
    key = key_of(transaction, id)
    stored = transaction.execute("SELECT metadata FROM resources WHERE key = ?", (key,)).fetchone()[0]
    metadata = orjson.loads(stored)
    if value is None:
        if name not in metadata:
            return False
        del metadata[name]
    else:
        metadata[name] = value
    transaction.execute("UPDATE resources SET metadata = ? WHERE key = ?", (orjson.dumps(metadata).decode(), key))
    if logged:
        log_change(transaction, ChangeType.UPDATED_METADATA, key, logged)
    return True


def set_label(transaction: Transaction, id: str, label: str, present: bool) -> None:
    """Add or remove a label."""
    key = key_of(transaction, id)
    if present:
        transaction.execute("INSERT INTO labels (resource, label) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, label))
    else:
        transaction.execute("DELETE FROM labels WHERE resource = ? AND label = ?", (key, label))


def set_protected(transaction: Transaction, patient: str, protected: bool) -> None:
    """Protect a patient from recycling; one that loses its protection is the last in the queue."""
    row = transaction.execute("SELECT key, level, rank FROM resources WHERE id = ?", (patient,)).fetchone()
    if row is None or row[1] != 0:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    key, _, rank = row
    if protected == (rank is None):
        return
    transaction.lineages.clear()
    if not protected:
        transaction.totals.last_rank += 1
    new = None if protected else transaction.totals.last_rank
    transaction.execute("UPDATE resources SET rank = ? WHERE key = ?", (new, key))
