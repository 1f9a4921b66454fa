"""The patients, studies, series and instances on a server, as branches of a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orthanc_lab.client import Client, Instance, Patient, Resource, Series, Study
from orthanc_lab.client.collection import Collection
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.elements.tree import Node
from orthanc_lab.widgets.search_words import Query

__all__ = ["ResourceBranches", "date_words", "lineage", "person_words", "study_words"]

_PAGE = 101  # what a tree shows at first, plus one
_NEXT_PAGES = 500
_MOST_CHECKED = 5_000  # results of one query that are looked through for those with other accents
_ORDERS: dict[Level, Sequence[str]] = {Level.PATIENT: ["PatientName"], Level.STUDY: ["-StudyDate"]}
_KINDS: dict[Level, type[Resource]] = {kind.level: kind for kind in (Patient, Study, Series, Instance)}


def person_words(name: str) -> str:
    """Return a value of VR PN in the usual spelling of names.

    Examples
    --------
    >>> person_words("Yamada^Tarou=山田^太郎")
    'Yamada Tarou = 山田 太郎'
    """
    groups = (" ".join(group.replace("^", " ").split()) for group in name.split("="))
    return " = ".join(group for group in groups if group)


def date_words(date: str) -> str:
    """Return a date of VR DA with hyphens; other text is unchanged."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdecimal() else date


def lineage(resource: Resource) -> list[Resource]:
    """Return a resource and everything above it, the patient first."""
    above = {Instance: "series", Series: "study", Study: "patient"}.get(type(resource))
    return [*(lineage(getattr(resource, above)) if above else []), resource]


def study_words(study: Resource) -> str:
    """Return a study's patient name, description and date."""
    tags = study.tags
    name, date = person_words(tags.get("PatientName", "")), date_words(tags.get("StudyDate", ""))
    return _joined(name, tags.get("StudyDescription"), date)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


class ResourceBranches:
    """The results of queries, patients before studies, with everything below them.

    Parameters
    ----------
    client
        The client that queries the server.
    queries
        Their results are the roots; a study whose patient was also found is not a root.
    lowest
        The level of the leaves.

    Attributes
    ----------
    is_cut
        Whether a query had more results than are looked through for other accents.

    Examples
    --------
    >>> branches = ResourceBranches(client, [Query(Level.PATIENT, {})], Level.SERIES)
    >>> patient, = branches.children("")
    >>> study, = branches.children(patient.id)
    >>> study.label, study.note
    ('CT quality phantom', '2026-01-05 · 1 series')
    """

    def __init__(self, client: Client, queries: Sequence[Query], lowest: Level) -> None:
        self._client = self._finder = client
        self._queries = queries
        self._lowest = lowest
        self.is_cut = False
        self._known: dict[str, Node] = {}
        self._levels: dict[str, Level] = {}

    def searching(self, queries: Sequence[Query]) -> ResourceBranches:
        """Return branches for other queries, which also know the resources listed so far."""
        other = ResourceBranches(self._client, queries, self._lowest)
        other._known, other._levels = self._known, self._levels
        return other

    @contextmanager
    def asking(self, client: Client) -> Iterator[None]:
        """Let another client send the queries of the roots that are listed inside."""
        self._finder = client
        try:
            yield
        finally:
            self._finder = self._client

    def resource(self, id: str) -> Resource | None:
        """Return the resource of a listed line, None for an unknown one."""
        level = self._levels.get(id)
        return None if level is None else _KINDS[level](self._client.transport, id)

    def name(self, id: str) -> str:
        """Return the label of a listed line, "" for an unknown one."""
        return self._known[id].label if id in self._known else ""

    def adopt(self, other: ResourceBranches) -> None:
        """Know what other branches of the same server know."""
        self._known.update(other._known)
        self._levels.update(other._levels)

    def learn(self, resources: Iterable[Resource]) -> None:
        """Add resources that were not found by listing."""
        for resource in resources:
            self._node(resource)

    def children(self, id: str) -> Iterator[Node]:
        """Return what is below a resource; the roots for ""."""
        if not id:
            return self._roots()
        resource = self.resource(id)
        if isinstance(resource, Patient):
            below: Sequence[Resource] = sorted(resource.studies, key=_newest_first, reverse=True)
        elif isinstance(resource, Study):
            below = resource.series
        elif isinstance(resource, Series):
            below = resource.instances
        else:
            return iter(())
        return (self._node(child) for child in below)

    def _roots(self) -> Iterator[Node]:
        seen: set[str] = set()
        for query in self._queries:
            for resource in self._found(query):
                parent = resource.document.get("ParentPatient", "")
                if resource.id not in seen and parent not in seen:
                    seen.add(resource.id)
                    yield self._node(resource, is_root=True)

    def _found(self, query: Query) -> Iterator[Resource]:
        collection: Collection[Any] = getattr(self._finder, query.level.plural)
        # Orthanc computes ModalitiesInStudy for each study it sorts.
        order = () if "ModalitiesInStudy" in query.tags else _ORDERS.get(query.level, ())
        since, limit = 0, _PAGE
        while True:
            found = collection.find(query.tags, order_by=order, since=since, limit=limit)
            yield from self._studies_at_most(resource for resource in found if query.keeps(resource.tags))
            since += len(found)
            if len(found) < limit:
                return
            if query.held and since >= _MOST_CHECKED:
                self.is_cut = True
                return
            limit = _NEXT_PAGES

    def _studies_at_most(self, found: Iterable[Resource]) -> Iterator[Resource]:
        """Return patients and studies, and the study of each series or instance."""
        of_series: list[str] = []
        for resource in found:
            if isinstance(resource, Series):
                of_series.append(resource.document["ParentStudy"])
            elif isinstance(resource, Instance):
                of_series.append(resource.series.document["ParentStudy"])
            else:
                yield resource
        if of_series:
            body = {"Resources": list(dict.fromkeys(of_series)), "Metadata": False}
            for item in self._client.transport.json("POST", "/tools/bulk-content", json=body, again=True):
                yield Study(self._client.transport, item["ID"], item)

    def _node(self, resource: Resource, *, is_root: bool = False) -> Node:
        node = self._described(resource, is_root)
        self._levels[resource.id], self._known[resource.id] = resource.level, node
        return node

    def _described(self, resource: Resource, is_root: bool) -> Node:
        tags, document = resource.tags, resource.document
        is_leaf = resource.level is self._lowest
        if isinstance(resource, Patient):
            name = person_words(tags.get("PatientName", "")) or "Patient without a name"
            studies = _counted(len(document["Studies"]), "study", "studies")
            return Node(resource.id, name, _joined(tags.get("PatientID"), studies), is_leaf=is_leaf)
        if isinstance(resource, Study):
            label = tags.get("StudyDescription") or "Study without a description"
            if is_root:
                label = _joined(person_words(tags.get("PatientName", "")), label)
            series = _counted(len(document["Series"]), "series", "series")
            note = _joined(date_words(tags.get("StudyDate", "")), series)
            return Node(resource.id, label, note, document["ParentPatient"], is_leaf)
        if isinstance(resource, Series):
            described = tags.get("SeriesDescription") or f"Series {tags.get('SeriesNumber', '')}".strip()
            note = _counted(len(document["Instances"]), "instance", "instances")
            return Node(resource.id, _joined(tags.get("Modality"), described), note, document["ParentStudy"], is_leaf)
        frames = tags.get("NumberOfFrames", "")
        number = tags.get("InstanceNumber")
        label = f"Instance {number}" if number else "Instance without a number"
        note = f"{frames} frames" if frames not in ("", "1") else ""
        return Node(resource.id, label, note, document["ParentSeries"], is_leaf)


def _newest_first(study: Resource) -> tuple[str, str]:
    return study.tags.get("StudyDate", ""), study.tags.get("StudyTime", "")


def _joined(*words: str | None) -> str:
    return " · ".join(word for word in words if word)
