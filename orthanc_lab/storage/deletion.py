"""Deletion of resources with all that belongs to them, and recycling."""

from __future__ import annotations

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.transaction import Key, Place, Transaction

__all__ = ["delete", "recycle_one"]


def delete(transaction: Transaction, id: str, level: Level | None, date: str) -> tuple[bool, tuple[Level, str] | None]:
    """Delete a resource; see `orthanc_lab.storage.ports.Deletion.delete`.

    Parameters
    ----------
    date
        LastUpdate of what remains above it.
    """
    place = transaction.place(id)
    if place is None or (level is not None and place.level is not level):
        return False, None
    return True, _delete(transaction, place, date)


def recycle_one(transaction: Transaction, spared: Key | None) -> bool:
    """Delete the patient that was not stored to for the longest time; False if there is none to delete.

    Parameters
    ----------
    spared
        The patient that must stay.
    """
    place = transaction.next_to_recycle(spared)
    if place is None:
        return False
    transaction.delete_resources(transaction.with_descendants(place.key))
    return True


def _delete(transaction: Transaction, place: Place, date: str) -> tuple[Level, str] | None:
    """Delete a resource, all below it and the parents that become empty; return what remains above."""
    doomed = list(transaction.with_descendants(place.key))
    remaining: list[Place] = []
    parent = place.parent
    while parent is not None:
        above = transaction.place_of(parent)
        if remaining or len(transaction.children(parent, 2)) > 1:
            remaining.append(above)
        else:
            doomed.append(parent)
        parent = above.parent
    transaction.delete_resources(doomed)
    if not remaining:
        return None
    transaction.set_last_update([above.key for above in remaining], date)
    return remaining[0].level, remaining[0].id
