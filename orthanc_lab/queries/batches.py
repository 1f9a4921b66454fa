"""Long lists of resources, read piece by piece, so that they need little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from orthanc_lab.storage.ports import Resources
from orthanc_lab.storage.records import Resource

__all__ = ["batches_of", "batches_of_ids"]

BATCH = 1000
"""Resources that are held at a time."""


def batches_of(
    storage: Resources, first: Callable[[int], list[Resource]], ids: Callable[[], Sequence[str]]
) -> Iterable[list[Resource]]:
    """Return resources in batches.

    Parameters
    ----------
    first
        Returns the first ones, up to a number; a list that fits in one batch is read by this alone.
    ids
        Returns the identifiers of all.
    """
    found = first(BATCH + 1)
    return [found] if len(found) <= BATCH else batches_of_ids(storage, ids())


def batches_of_ids(storage: Resources, ids: Sequence[str]) -> Iterator[list[Resource]]:
    """Yield the known ones of many resources, in the order of `ids`."""
    for start in range(0, len(ids), BATCH):
        yield storage.get_many(ids[start : start + BATCH])
