"""Metadata, labels, protection: what people add to a resource."""

from __future__ import annotations

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.sqlite.json_text import bindable, read_json, write_json
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["change_metadata", "key_of", "set_label", "set_protected"]


def key_of(transaction: Transaction, id: str) -> int:
    """Return the key of a resource.

    Raises
    ------
    OrthancError
        17 if it is unknown.
    """
    row = transaction.execute(SQL["place"], (bindable(id),)).fetchone()
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
    row = transaction.execute(SQL["metadata"], (bindable(id),)).fetchone()
    if row is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    key, metadata = row[0], read_json(row[1])
    if value is None and name not in metadata:
        return False
    if value is None:
        del metadata[name]
    else:
        metadata[name] = value
    transaction.execute(SQL["set_metadata"], (write_json(metadata), key))
    transaction.lineages.clear()  # it might be ExpectedNumberOfInstances
    if logged:
        log_change(transaction, ChangeType.UPDATED_METADATA, key, logged)
    return True


def set_label(transaction: Transaction, id: str, label: str, present: bool) -> None:
    """Add or remove a label."""
    transaction.execute(SQL["add_label" if present else "remove_label"], (key_of(transaction, id), bindable(label)))


def set_protected(transaction: Transaction, patient: str, protected: bool) -> None:
    """Protect a patient from recycling; one that loses its protection is the last in the queue."""
    row = transaction.execute(SQL["rank"], (bindable(patient),)).fetchone()
    if row is None:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    key, rank = row
    if protected == (rank is None):
        return
    transaction.lineages.clear()
    if not protected:
        transaction.totals.last_rank += 1
    transaction.execute(SQL["rerank"], (None if protected else transaction.totals.last_rank, key))
