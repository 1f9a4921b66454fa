"""Metadata, labels and protection of a resource."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.transaction import Key, Transaction

__all__ = ["CheckMetadata", "change_metadata", "key_of", "set_label", "set_protected"]

CheckMetadata = Callable[[str | None, int], None]
"""Raises if a metadata must not be changed: called with its value, None if there is none, and its revision."""


def key_of(transaction: Transaction, id: str) -> Key:
    """Return the key of a resource.

    Raises
    ------
    OrthancError
        17 if it is unknown.
    """
    place = transaction.place(id)
    if place is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    return place.key


def change_metadata(
    transaction: Transaction, id: str, name: str, value: str | None, *, logged: str, check: CheckMetadata | None
) -> int | None:
    """Write a metadata, or delete it (None); return its revision, None if there is none to delete.

    Parameters
    ----------
    logged
        Date of the UpdatedMetadata change; empty for none.
    """
    key = key_of(transaction, id)
    metadata, revisions = transaction.metadata(key), transaction.metadata_revisions(key)
    current, revision = metadata.pop(name, None), revisions.pop(name, 0)
    if check is not None:
        check(current, revision)
    if value is None and current is None:
        return None
    if value is not None:
        metadata[name] = value
        if current is not None:
            revision = revisions[name] = revision + 1
    transaction.set_metadata(key, metadata, revisions)
    if logged:
        transaction.log_change(ChangeType.UPDATED_METADATA, key, logged)
    return revision


def set_label(transaction: Transaction, id: str, label: str, present: bool) -> None:
    """Add or remove a label."""
    transaction.set_label(key_of(transaction, id), label, present)


def set_protected(transaction: Transaction, patient: str, protected: bool) -> None:
    """Protect a patient from recycling; one that loses its protection is the last in the queue."""
    key = transaction.find(Level.PATIENT, patient)
    if key is None:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    if transaction.is_protected(key) != protected:
        transaction.set_protected(key, protected)
