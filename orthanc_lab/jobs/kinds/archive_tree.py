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

__all__ = ["Leaf", "Node", "first_stored", "resolve", "tags_of_patient"]

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


def resolve(storage: Storage, ids: Sequence[str], level: Level | None = None) -> list[Node]:
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
    roots = _load(storage, dict.fromkeys(ids), {})
    if any(id not in roots or (level and roots[id].level is not level) for id in ids):
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


def tags_of_patient(storage: Storage, instance: str, default_encoding: str) -> Mapping[str, str] | None:
    """Return PatientID and PatientName as they stand in a file, by tag; None if it cannot be read.

    Two studies of one PatientID may bear different names; the patient keeps the first one.

    Parameters
    ----------
    default_encoding
        The option ``DefaultEncoding``.
    """
    try:
        return scan(storage.read_dicom_header(instance), _PATIENT_TAGS, default_encoding).tags
    except OrthancError:
        return None


def first_stored(study: Node) -> Leaf | None:
    """Return the instance of a study that was stored first, as far as it is in the tree."""
    series = {node.resource.id: node for node in study.nodes}
    for id in study.resource.children:
        if id in series and series[id].leaves:
            first = series[id].resource.children[0]
            return next((leaf for leaf in series[id].leaves if leaf.id == first), None)
    return None


Known = Mapping[Level, dict[str, Resource]]


def _descend(storage: Storage, roots: Mapping[str, Resource]) -> tuple[Known, list[str]]:
    """Load the resources below the roots, down to the series; return also the series that are whole."""
    known: Known = {level: {} for level in LEVELS}
    inherited: list[str] = []
    for level in LEVELS[:3]:
        here = known[level]
        here.update((id, resource) for id, resource in roots.items() if resource.level is level)
        here.update(_load(storage, inherited, here))
        inherited = [child for resource in here.values() for child in resource.children]
    return known, list(known[Level.SERIES])


def _ascend(storage: Storage, known: Known, series: Iterable[str]) -> None:
    """Load the resources above all that is known, and above some series."""
    missing = list(series)
    for level in reversed(LEVELS[:3]):
        here = known[level]
        here.update(_load(storage, missing, here))
        missing = list(dict.fromkeys(resource.parent for resource in here.values() if resource.parent))


def _load(storage: Storage, ids: Iterable[str], known: Mapping[str, Resource]) -> dict[str, Resource]:
    missing = [id for id in ids if id not in known]
    return {resource.id: resource for resource in storage.get_many(missing)} if missing else {}


def _whole_leaves(storage: Storage, series: Sequence[Resource]) -> Iterator[tuple[str, list[Leaf]]]:
    wanted = [child for resource in series for child in resource.children]
    instances = _load(storage, wanted, {})
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
    if attachment is None:
        return Leaf(instance.id, number, 0, "")
    return Leaf(instance.id, number, attachment.uncompressed_size, attachment.uuid)


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
