"""What JSON documents tell of resources: which identifier of Orthanc is the hash of what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from orthanc_lab.testing.capsule.scrubbing import Scrubber

__all__ = ["learn_resources"]

_LONGEST = 64 << 20
_NAMES = (
    ("PatientID", "0010,0020", "00100020"),
    ("StudyInstanceUID", "0020,000d", "0020000D"),
    ("SeriesInstanceUID", "0020,000e", "0020000E"),
    ("SOPInstanceUID", "0008,0018", "00080018"),
)
_PARENTS = (None, "ParentPatient", "ParentStudy", "ParentSeries")
_TYPES = ("Patient", "Study", "Series", "Instance")


def learn_resources(content: bytes, scrubber: Scrubber) -> None:
    """Take note of the resources that a document describes, and of those whose tags it shows."""
    if len(content) > _LONGEST:
        return
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return
    for value in _objects(document):
        found = [_text(value, names) for names in _NAMES]
        if all(text is not None for text in found[1:]):
            scrubber.learn_resource(found[0] or "", *[text or "" for text in found[1:]])
        kind = value.get("Type")
        tags = value.get("MainDicomTags")
        if kind in _TYPES and isinstance(tags, dict):
            _learn(_TYPES.index(kind), value, tags, scrubber)


def _learn(level: int, value: dict[str, Any], tags: dict[str, Any], scrubber: Scrubber) -> None:
    own = _text(tags, _NAMES[level])
    if own is None:
        return
    if level == 0:
        scrubber.learn_resource(own)
        return
    patient = value.get("PatientMainDicomTags")
    if level == 1 and isinstance(patient, dict):
        scrubber.learn_resource(_text(patient, _NAMES[0]) or "", own)
        return
    scrubber.learn_child(str(value.get(_PARENTS[level] or "")), own)


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a document, the outer ones first."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += reversed(value)


def _text(tags: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = tags.get(name)
        if isinstance(value, dict):
            value = value.get("Value")
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str):
            return value
    return None
