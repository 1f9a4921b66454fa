"""Main DICOM tags of the parents of an instance, read again from its file."""

from __future__ import annotations

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.sqlite.arrival import Arrival
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["refresh_parents"]


def refresh_parents(transaction: Transaction, arrival: Arrival) -> None:
    """Give patient, study and series the tags that stand in the file of an instance below them."""
    ids = arrival.ids
    for level, id in ((Level.PATIENT, ids.patient), (Level.STUDY, ids.study), (Level.SERIES, ids.series)):
        indexed = arrival.parent(level)
        transaction.execute(SQL["set_tags"], (indexed.tags, indexed.folded, level.depth, id))
    transaction.lineages.clear()
