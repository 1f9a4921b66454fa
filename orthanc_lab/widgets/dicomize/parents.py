"""Finding the patient, study or series to attach new instances to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orthanc_lab.client import Client, Patient, Resource, Series, Study
from orthanc_lab.client.collection import Collection

__all__ = ["LEVELS", "Found", "find_parents"]

_FIELDS: Mapping[str, Sequence[str]] = {
    "Patient": ("PatientName", "PatientID"),
    "Study": ("PatientName", "PatientID", "StudyDescription", "AccessionNumber"),
    "Series": ("PatientName", "PatientID", "StudyDescription", "SeriesDescription", "Modality"),
}
LEVELS = tuple(_FIELDS)
"""Levels that a parent can have."""

Found = tuple[str, str]
"""Description and Orthanc identifier."""


def find_parents(client: Client, level: str, text: str, limit: int = 50) -> list[Found]:
    """Return at most `limit` resources with the text in one of their main tags.

    Examples
    --------
    >>> [words for words, _ in find_parents(client, "Series", "phantom", limit=1)]
    ['Phantom^... · CT quality phantom · ... · CT · ...']
    """
    kinds: Mapping[str, Collection[Any]] = {
        "Patient": client.patients,
        "Study": client.studies,
        "Series": client.series,
    }
    found: dict[str, Resource] = {}
    for query in _queries(level, text):
        for resource in kinds[level].find(query, limit=limit):
            found[resource.id] = resource
        if len(found) >= limit:
            break
    studies: dict[str, str] = {}
    rows = [(_words(resource, studies), resource.id) for resource in list(found.values())[:limit]]
    return sorted(rows)


def _queries(level: str, text: str) -> list[dict[str, str]]:
    if not text:
        return [{_FIELDS[level][0]: "*"}]
    dates = [{"StudyDate": text}] if re.fullmatch(r"\d{8}", text) and level != "Patient" else []  # takes no wildcard
    return [*dates, *({name: f"*{text}*"} for name in _FIELDS[level])]


def _words(resource: Resource, studies: dict[str, str]) -> str:
    if isinstance(resource, Series):
        study = resource.study
        if study.id not in studies:
            studies[study.id] = _words(study, studies)
        return f"{studies[study.id]} · {_joined(resource, 'Modality', 'SeriesNumber', 'SeriesDescription')}"
    if isinstance(resource, Study):
        return _joined(resource, "PatientName", "StudyDescription", "StudyDate")
    assert isinstance(resource, Patient)
    return _joined(resource, "PatientName", "PatientID")


def _joined(resource: Resource, *names: str) -> str:
    tags = resource.tags
    return " · ".join(tags[name] for name in names if tags.get(name)) or resource.id
