"""The log of what was sent to other modalities."""

from __future__ import annotations

from orthanc_lab.storage.transaction import NewExport, Transaction

__all__ = ["log_export"]


def log_export(transaction: Transaction, id: str, remote_modality: str, date: str) -> None:
    """Add a line to the exports; nothing happens for an unknown resource."""
    identifiers = transaction.identifiers(id)
    if identifiers:
        level = max(identifiers, key=lambda level: level.depth)
        transaction.log_export(NewExport(level, id, remote_modality, date, identifiers))
