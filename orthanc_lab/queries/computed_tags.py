"""The tags of a query answer that no file holds: what Orthanc counts and gathers (PS3.4 section C.3.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.queries.relatives import Relatives
from orthanc_lab.storage.records import Resource

__all__ = ["COMPUTED_TAGS", "COUNTS", "MODALITIES_IN_STUDY", "check_computed", "computed_tag", "depth_needed"]

MODALITIES_IN_STUDY = "0008,0061"
_SOP_CLASSES = "0008,0062"
_AVAILABILITY = "0008,0056"
_MODALITY = "0008,0060"


def _modalities(resource: Resource, relatives: Relatives) -> str:
    found = {series.tags.get(_MODALITY, "") for series in relatives.children((resource,))}
    return "\\".join(sorted(found - {""}))


def _sop_classes(resource: Resource, relatives: Relatives) -> str:
    instances = relatives.children(relatives.children((resource,)))
    return "\\".join(sorted({instance.metadata.get("SopClassUid", "") for instance in instances} - {""}))


def _count(levels: int) -> Callable[[Resource, Relatives], str]:
    def count(resource: Resource, relatives: Relatives) -> str:
        last = [resource]
        for _ in range(levels - 1):
            last = relatives.children(last)
        return str(sum(len(found.children) for found in last))

    return count


_RULES: dict[str, tuple[Level, int, Callable[[Resource, Relatives], str]]] = {
    # tag -> level, how many levels below are read, rule
    _AVAILABILITY: (Level.INSTANCE, 0, lambda resource, relatives: "ONLINE"),
    MODALITIES_IN_STUDY: (Level.STUDY, 1, _modalities),
    _SOP_CLASSES: (Level.STUDY, 2, _sop_classes),
    "0020,1200": (Level.PATIENT, 0, _count(1)),  # NumberOfPatientRelatedStudies
    "0020,1202": (Level.PATIENT, 1, _count(2)),  # NumberOfPatientRelatedSeries
    "0020,1204": (Level.PATIENT, 2, _count(3)),  # NumberOfPatientRelatedInstances
    "0020,1206": (Level.STUDY, 0, _count(1)),  # NumberOfStudyRelatedSeries
    "0020,1208": (Level.STUDY, 1, _count(2)),  # NumberOfStudyRelatedInstances
    "0020,1209": (Level.SERIES, 0, _count(1)),  # NumberOfSeriesRelatedInstances
}

COMPUTED_TAGS = frozenset(_RULES)
"""The tags ``gggg,eeee`` that are computed."""

COUNTS = COMPUTED_TAGS - {_AVAILABILITY, MODALITIES_IN_STUDY, _SOP_CLASSES}
"""Those that are numbers of resources below."""


def computed_tag(tag: str, resource: Resource, relatives: Relatives) -> str | None:
    """Return the value of a computed tag, None at a level that does not have it."""
    level, _, rule = _RULES[tag]
    return rule(resource, relatives) if resource.level is level else None


def check_computed(tags: Iterable[str], level: Level) -> None:
    """Refuse to show or search ``SOPClassesInStudy`` of instances, as Orthanc does.

    Raises
    ------
    OrthancError
        3 without details.
    """
    if level is Level.INSTANCE and _SOP_CLASSES in tags:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)


def depth_needed(tag: str, level: Level) -> int:
    """Return how many levels below a resource of `level` the tag looks at, so that they can be read in bulk."""
    own, depth, _ = _RULES[tag]
    return depth if own is level else 0
