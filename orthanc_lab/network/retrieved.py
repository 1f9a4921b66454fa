"""Which instances a C-GET or C-MOVE asks for."""

from __future__ import annotations

from typing import Protocol

from orthanc_lab.network.identifier import Identifier
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.queries.constraints import has_wildcards
from orthanc_lab.queries.listed_instances import listed_instances
from orthanc_lab.storage.ports import Resources, Search
from orthanc_lab.storage.records import Constraint, FindQuery

__all__ = ["Retrievable", "named_resources", "retrieved_instances"]

_ACCESSION_NUMBER = "0008,0050"
_NAMING = {
    Level.PATIENT: ("0010,0020",),
    Level.STUDY: (_ACCESSION_NUMBER, "0020,000d"),
    Level.SERIES: ("0020,000e",),
    Level.INSTANCE: ("0008,0018",),
}
"""The keys that name resources of a level; the first one with a value counts."""


class Retrievable(Resources, Search, Protocol):
    """What has to be looked at."""


def named_resources(identifier: Identifier, storage: Retrievable) -> list[list[str]]:
    r"""Return the resources that an identifier names, for each of its values (separated by ``\``).

    Without a level, the lowest one whose key has a value counts.

    Raises
    ------
    OrthancError
        3 for an unknown level, 8 if nothing is named.
    """
    levels = [Level.parse(identifier.level)] if identifier.level else LEVELS[::-1]
    for level in levels:
        for key in _NAMING[level]:
            value = identifier.value(key)
            if value:
                return [_resources(level, key, text.strip(), storage) for text in value.split("\\")]
    raise OrthancError(ErrorCode.BAD_REQUEST, "No DICOM identifier provided in the request for this level")


def _resources(level: Level, key: str, text: str, storage: Retrievable) -> list[str]:
    if not text or has_wildcards(text):
        return []
    if key == _ACCESSION_NUMBER:
        return storage.find(FindQuery(level, [Constraint(key, text)]))
    return sorted(id for found, id in storage.lookup_identifier(text) if found is level)


def retrieved_instances(resources: list[str], storage: Resources) -> list[str]:
    """Return the instances below resources; one that is named twice comes twice, as in Orthanc.

    Raises
    ------
    OrthancError
        4 if the same ones are named too often.
    """
    return listed_instances(resources, lambda id: storage.descendants(id, Level.INSTANCE))
