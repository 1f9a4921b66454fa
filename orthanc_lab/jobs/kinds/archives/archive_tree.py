"""From a list of resources to the tree of what goes into an archive.

Patients, studies, series and instances may be mixed; each is put at its place, and what is
asked for twice appears once: but for instances, which appear as often as they are listed, unless
their series is there as a whole (as in Orthanc).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.jobs.kinds.archives.archive_names import file_numbers, own_number
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Files, Resources
from orthanc_lab.storage.records import AttachmentType, Resource

__all__ = ["Leaf", "Node", "resolve", "tags_of_patient"]

_INSTANCE_NUMBER = "0020,0013"
_PATIENT_TAGS = frozenset({"0010,0010", "0010,0020"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """An instance in the archive."""

    id: str  # Orthanc identifier
    number: int  # in its file name
    size: int  # bytes, uncompressed
    file: str  # name of its DICOM file in the storage area; another one whenever it is stored anew


@dataclass(slots=True)
class Node:
    """A patient, study or series in the archive."""

    resource: Resource
    nodes: list[Node] = field(default_factory=list)  # studies or series, by Orthanc identifier
    leaves: list[Leaf] = field(default_factory=list)  # only in a series, in the order of the archive


def resolve(storage: Resources, ids: Sequence[str], level: Level | None = None) -> list[Node]:
    """Return the patients of an archive, by Orthanc identifier.

    Parameters
    ----------
    ids
        Orthanc identifiers.
    level
        The level that all of them must have; None for any levels.

    Raises
    ------
    OrthancError
        17 if one of them is unknown, or of another level.
    """
    known = {resource.id: resource for resource in storage.family([*dict.fromkeys(ids)])}
    if any(id not in known or (level and known[id].level is not level) for id in ids):
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    chosen: dict[str, list[Resource]] = {}
    for id in ids:
        if known[id].level is Level.INSTANCE:
            chosen.setdefault(known[id].parent or "", []).append(known[id])
    leaves = {series: _single_leaves(instances) for series, instances in chosen.items()}
    for series in _whole_series(known, ids):
        leaves[series] = _whole_leaves(known, series)
    return _grow(known, leaves)


def tags_of_patient(storage: Files, instance: str, default_encoding: str) -> Mapping[str, str] | None:
    """Return PatientID and PatientName as a file has them, by tag; None if it cannot be read.

    Two studies of one PatientID may bear different names; the patient keeps the first one, and the archive of a study
    has that of the study's first instance.

    Parameters
    ----------
    default_encoding
        The option ``DefaultEncoding``.
    """
    try:
        return scan(storage.read_dicom_header(instance), _PATIENT_TAGS, default_encoding).tags
    except OrthancError:
        return None


Known = Mapping[str, Resource]


def _whole_series(known: Known, ids: Iterable[str]) -> list[str]:
    """Return the series that are asked for as a whole, or are below what is."""
    found: list[str] = []
    waiting = list(ids)
    seen = set(waiting)
    while waiting:
        resource = known[waiting.pop()]
        if resource.level is Level.SERIES:
            found.append(resource.id)
        elif resource.level is not Level.INSTANCE:
            below = [child for child in resource.children if child not in seen]
            seen.update(below)
            waiting += below
    return found


def _whole_leaves(known: Known, series: str) -> list[Leaf]:
    present = [known[child] for child in known[series].children]
    numbers = file_numbers([instance.tags.get(_INSTANCE_NUMBER, "") for instance in present])
    return [_leaf(present[position], number) for position, number in numbers]


def _single_leaves(instances: Iterable[Resource]) -> list[Leaf]:
    """Instances listed one by one keep the order of the list and their own numbers."""
    return [_leaf(instance, own_number(instance.tags.get(_INSTANCE_NUMBER, ""))) for instance in instances]


def _leaf(instance: Resource, number: int) -> Leaf:
    attachment = instance.attachments.get(AttachmentType.DICOM)
    if attachment is None:
        return Leaf(instance.id, number, 0, "")
    return Leaf(instance.id, number, attachment.uncompressed_size, attachment.uuid)


def _grow(known: Known, leaves: Mapping[str, list[Leaf]]) -> list[Node]:
    """Join the levels; children are in the order of their identifiers."""
    nodes = {id: Node(known[id], leaves=found) for id, found in leaves.items() if id in known}
    for _ in (Level.STUDY, Level.PATIENT):
        parents: dict[str, Node] = {}
        for id in sorted(nodes):
            parent = nodes[id].resource.parent or ""
            if parent in known:
                parents.setdefault(parent, Node(known[parent])).nodes.append(nodes[id])
        nodes = parents
    return [nodes[id] for id in sorted(nodes)]
