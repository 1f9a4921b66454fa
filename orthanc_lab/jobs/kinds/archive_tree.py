"""From a list of resources to the tree of what goes into an archive.

Patients, studies, series and instances may be mixed; each is put at its place, and what is
asked for twice appears once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orthanc_lab.dicom.scan import scan
from orthanc_lab.jobs.kinds.archive_names import file_numbers, own_number
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import AttachmentType, Resource

__all__ = ["Leaf", "Node", "patient_of_study", "resolve"]

_INSTANCE_NUMBER = "0020,0013"
_PATIENT_TAGS = frozenset({"0010,0010", "0010,0020"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """An instance in the archive."""

    id: str  # Orthanc identifier
    number: int  # in its file name
    size: int  # bytes, uncompressed


@dataclass(slots=True)
class Node:
    """A patient, study or series in the archive."""

    resource: Resource
    nodes: list[Node] = field(default_factory=list)  # studies or series, by Orthanc identifier
    leaves: list[Leaf] = field(default_factory=list)  # only in a series, in the order of the archive


def resolve(storage: Storage, ids: Sequence[str]) -> list[Node]:
    """Return the patients of an archive, by Orthanc identifier.

    Parameters
    ----------
    ids
        Orthanc identifiers of any levels.

    Raises
    ------
    OrthancError
        17 if one of them is unknown.
    """
    roots = {resource.id: resource for resource in storage.get_many(list(dict.fromkeys(ids)))}
    if any(id not in roots for id in ids):
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    known, whole_series = _descend(storage, roots)
    single = [roots[id] for id in dict.fromkeys(ids) if roots[id].level is Level.INSTANCE]
    chosen: dict[str, list[Resource]] = {}
    for instance in single:
        chosen.setdefault(instance.parent or "", []).append(instance)
    _ascend(storage, known, [*chosen])
    leaves = {series: _single_leaves(instances) for series, instances in chosen.items()}
    leaves.update(_whole_leaves(storage, [known[Level.SERIES][id] for id in whole_series]))
    return _grow(known, leaves)


def patient_of_study(storage: Storage, id: str, default_encoding: str) -> Mapping[str, str] | None:
    """Return PatientID and PatientName as the study of a resource has them.

    Two studies of one PatientID may bear different names; the patient keeps the first one.

    Parameters
    ----------
    id
        A study or series.
    default_encoding
        The option ``DefaultEncoding``.

    Returns
    -------
    mapping, optional
        By tag; None if no file of the study can be read.
    """
    study = storage.ancestor(id, Level.STUDY)
    instances = storage.descendants(study, Level.INSTANCE) if study else []
    try:
        return scan(storage.read_dicom_header(instances[0]), _PATIENT_TAGS, default_encoding).tags
    except (IndexError, OrthancError):
        return None


Known = Mapping[Level, dict[str, Resource]]


def _descend(storage: Storage, roots: Mapping[str, Resource]) -> tuple[Known, list[str]]:
    """Load the resources below the roots, down to the series; return also the series that are whole."""
    known: Known = {level: {} for level in LEVELS}
    inherited: list[str] = []
    for level in LEVELS[:3]:
        listed = {id: resource for id, resource in roots.items() if resource.level is level}
        below = {resource.id: resource for resource in storage.get_many([id for id in inherited if id not in listed])}
        known[level].update(listed, **below)
        inherited = [child for resource in known[level].values() for child in resource.children]
    return known, list(known[Level.SERIES])


def _ascend(storage: Storage, known: Known, series: Iterable[str]) -> None:
    """Load the resources above all that is known, and above some series."""
    missing = list(series)
    for level in reversed(LEVELS[:3]):
        here = known[level]
        here.update((resource.id, resource) for resource in storage.get_many([id for id in missing if id not in here]))
        missing = list(dict.fromkeys(resource.parent for resource in here.values() if resource.parent))


def _whole_leaves(storage: Storage, series: Sequence[Resource]) -> Iterator[tuple[str, list[Leaf]]]:
    wanted = [child for resource in series for child in resource.children]
    instances = {resource.id: resource for resource in storage.get_many(wanted)}
    for resource in series:
        # One that vanished between the two look-ups is left out.
        present = [instances[child] for child in resource.children if child in instances]
        numbers = file_numbers([instance.tags.get(_INSTANCE_NUMBER, "") for instance in present])
        yield resource.id, [_leaf(present[position], number) for position, number in numbers]


def _single_leaves(instances: Iterable[Resource]) -> list[Leaf]:
    """Instances listed one by one keep the order of the list and their own numbers."""
    return [_leaf(instance, own_number(instance.tags.get(_INSTANCE_NUMBER, ""))) for instance in instances]


def _leaf(instance: Resource, number: int) -> Leaf:
    attachment = instance.attachments.get(AttachmentType.DICOM)
    return Leaf(instance.id, number, attachment.uncompressed_size if attachment else 0)


def _grow(known: Known, leaves: Mapping[str, list[Leaf]]) -> list[Node]:
    """Join the levels; children stand in the order of their identifiers."""
    nodes = {
        id: Node(known[Level.SERIES][id], leaves=found) for id, found in leaves.items() if id in known[Level.SERIES]
    }
    for level in (Level.STUDY, Level.PATIENT):
        parents: dict[str, Node] = {}
        for id in sorted(nodes):
            parent = nodes[id].resource.parent or ""
            if parent in known[level]:
                parents.setdefault(parent, Node(known[level][parent])).nodes.append(nodes[id])
        nodes = parents
    return [nodes[id] for id in sorted(nodes)]
