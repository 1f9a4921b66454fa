"""The instances of resources that a client lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["listed_instances"]

_MOST_REPEATED = 100_000  # instances that are in a list already


def listed_instances(resources: Iterable[str], instances_of: Callable[[str], Sequence[str]]) -> list[str]:
    """Return the instances of resources, in their order and as often as they are listed.

    Parameters
    ----------
    instances_of
        Returns the instances of one of the resources; called once for each.

    Raises
    ------
    OrthancError
        4 if the same ones are listed so often that the list would take memory for nothing that the client has sent;
        what `instances_of` raises.
    """
    known: dict[str, Sequence[str]] = {}
    found: list[str] = []
    repeated = 0
    for id in resources:
        if id not in known:
            known[id] = instances_of(id)
        else:
            repeated += len(known[id])
            if repeated > _MOST_REPEATED:
                raise OrthancError(
                    ErrorCode.NOT_ENOUGH_MEMORY, "The same resources are listed too often; list each of them once"
                )
        found += known[id]
    return found
