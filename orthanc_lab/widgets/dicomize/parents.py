"""Finding the patient, study or series to attach new instances to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orthanc_lab.client import Client, Patient, Resource, Series, Study
from orthanc_lab.client.collection import Collection
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.resource_branches import date_words, person_words
from orthanc_lab.widgets.search_words import Query, is_uid, queries, text_queries

__all__ = ["LEVELS", "MOST_COUNTED", "Found", "Parents", "find_parents"]

LEVELS = ("Patient", "Study", "Series")
"""Levels that a parent can have."""

MOST_COUNTED = 1_000
"""Results of one query that are counted."""

_TEXTS: Mapping[str, Sequence[str]] = {
    "Patient": ("PatientName", "PatientID"),
    "Study": ("PatientName", "PatientID", "AccessionNumber", "StudyDescription"),
    "Series": ("PatientName", "PatientID", "AccessionNumber", "StudyDescription", "SeriesDescription", "Modality"),
}
_ORDERS: Mapping[str, Sequence[str]] = {"Patient": ("PatientName",), "Study": ("-StudyDate",), "Series": ()}
_INHERITED: Mapping[str, str] = {
    "Patient": "PatientName PatientID IssuerOfPatientID PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs "
    "OtherPatientNames EthnicGroup PatientComments",
    "Study": "StudyDate StudyTime AccessionNumber ReferringPhysicianName StudyDescription PhysiciansOfRecord "
    "NameOfPhysiciansReadingStudy StudyInstanceUID StudyID",
    "Series": "SeriesDate SeriesTime Modality SeriesDescription PerformingPhysicianName OperatorsName BodyPartExamined "
    "ProtocolName PatientPosition SeriesInstanceUID SeriesNumber Laterality",
}
"""The main DICOM tags that Orthanc gives to a new child of a resource at this level."""


@dataclass(frozen=True, slots=True)
class Found:
    """A possible parent."""

    words: str  # its description
    id: str  # Orthanc identifier
    inherited: Mapping[str, str] = field(default_factory=dict)  # what it gives to its children, by keyword


@dataclass(frozen=True, slots=True)
class Parents:
    """The first results of a search, and how many there are; `is_more` if there may be more than were counted."""

    found: Sequence[Found]
    count: int
    is_more: bool = False


def find_parents(client: Client, level: str, text: str, limit: int = 50, finder: Client | None = None) -> Parents:
    """Return at most `limit` resources with the text in one of their main tags, with or without accents.

    Examples
    --------
    >>> [parent.words for parent in find_parents(client, "Series", "phantom", limit=1).found]
    ['Phantom ... · CT quality phantom · ... · CT · ...']
    """
    search = _Search(client, level, finder or client)
    if not text:
        return Parents(search.described(search.find({}, limit)), len(search.collection))
    found: dict[str, Resource] = {}
    counted: set[str] = set()
    is_more = False
    for query in _queries(level, text):
        resources = search.find(query.tags, MOST_COUNTED if query.held else limit)
        ids = [resource.id for resource in resources]
        if query.held:
            resources = [resource for resource in resources if query.keeps(search.all_tags(resource))]
            is_more |= len(ids) == MOST_COUNTED
            ids = [resource.id for resource in resources]
        elif len(ids) == limit:
            ids = search.ids(query.tags)
            is_more |= len(ids) == MOST_COUNTED
        counted.update(ids)
        found.update((resource.id, resource) for resource in resources)
    return Parents(search.described(list(found.values())[:limit]), len(counted), is_more)


def _queries(level: str, text: str) -> list[Query]:
    at = Level.parse(level)
    if is_uid(text):
        return [Query(at, {f"{above}InstanceUID": text}) for above in LEVELS[1 : LEVELS.index(level) + 1]]
    found = [query for keyword in _TEXTS[level] for query in text_queries(at, keyword, text)]
    found += [Query(at, query.tags) for query in queries(text) if "StudyDate" in query.tags and level != "Patient"]
    return sorted(found, key=lambda query: bool(query.held))


class _Search:
    """Resources of one level, with the tags of the studies of series."""

    def __init__(self, client: Client, level: str, finder: Client) -> None:
        plural = Level.parse(level).plural
        self.collection: Collection[Any] = getattr(client, plural)
        self._found_by: Collection[Any] = getattr(finder, plural)
        self._client = client
        self._level = level
        self._studies: dict[str, Study] = {}

    def find(self, tags: Mapping[str, str], limit: int) -> list[Resource]:
        return list(self._found_by.find(tags, limit=limit, order_by=_ORDERS[self._level]))

    def ids(self, tags: Mapping[str, str]) -> list[str]:
        body = {"Level": self._level, "Query": tags, "Limit": MOST_COUNTED}
        return list(self._client.transport.json("POST", "/tools/find", json=body, again=True))

    def _study(self, series: Series) -> Study:
        id = series.document["ParentStudy"]
        if id not in self._studies:
            self._studies[id] = series.study
        return self._studies[id]

    def all_tags(self, resource: Resource) -> dict[str, str]:
        return {**self._study(resource).tags, **resource.tags} if isinstance(resource, Series) else resource.tags

    def described(self, resources: Sequence[Resource]) -> list[Found]:
        return [Found(" · ".join(self._words(one)) or one.id, one.id, self._inherited(one)) for one in resources]

    def _inherited(self, resource: Resource) -> dict[str, str]:
        names = " ".join(_INHERITED[level] for level in LEVELS[: LEVELS.index(self._level) + 1]).split()
        return {name: value for name, value in self.all_tags(resource).items() if value and name in names}

    def _words(self, resource: Resource) -> Iterator[str]:
        tags = self.all_tags(resource)
        names = ["PatientName", "PatientID"]
        if not isinstance(resource, Patient):
            named = "PatientName" if tags.get("PatientName") else "PatientID"
            names = [named, "StudyDescription", "StudyDate", "AccessionNumber"]
        if isinstance(resource, Series):
            names = [*names[:3], "Modality", "SeriesNumber", "SeriesDescription"]
        for name in names:
            if value := tags.get(name, ""):
                yield person_words(value) if name == "PatientName" else date_words(value) if "Date" in name else value
