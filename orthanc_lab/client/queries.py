"""Queries of DICOM nodes, their answers, and the retrieval of what they have found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, get_args, overload

from orthanc_lab.client import display, known_fields
from orthanc_lab.client.arguments import check_choice, check_key, checked_fields, level_of, segment
from orthanc_lab.client.content import dicom_tags
from orthanc_lab.client.errors import ClientError, NotFoundError, reading
from orthanc_lab.client.jobs import Job, submit
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.visible import visible

__all__ = ["Answer", "Method", "Queries", "Query"]

Method = Literal["C-MOVE", "C-GET"]
"""How a node is asked for instances: it sends them (C-MOVE), or they come in the same association (C-GET)."""

_SHOWN = ("PatientName", "PatientID", "StudyDate", "StudyDescription", "Modality", "SeriesDescription")
_PLUMBING = ("SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle")


class Answer:
    """One answer to a query. Its tags are attributes: ``answer.StudyDescription``.

    Attributes
    ----------
    number
        Its number among the answers, from 0.
    tags
        Its tags by keyword.

    Examples
    --------
    >>> from orthanc_lab.testing.dicom_node import DicomNode
    >>> with DicomNode(samples.path("mr")) as node:
    ...     study = client.modalities.add("node", **node.modality()).find("Study", StudyDate="")[0]
    ...     study.StudyDate, [series.Modality for series in study.query("Series", Modality="")]
    ('20260105', ['MR'])
    """

    def __init__(self, transport: Transport, path: str, number: int, tags: dict[str, Any]) -> None:
        self._transport = transport
        self._path = path
        self.number = number
        self.tags = tags

    def __getattr__(self, name: str) -> Any:
        if name[:1].isupper():
            try:
                return self.tags[name]
            except KeyError:
                raise AttributeError(
                    f"This answer has no tag {name}; it has {', '.join(self.tags)}. Ask for it in the query: {name}=''"
                ) from None
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __dir__(self) -> Iterable[str]:
        return [*(name for name in super().__dir__() if not name.startswith("_")), *self.tags]

    def retrieve(
        self, *, target: str | None = None, method: Method | None = None, priority: int = 0, **fields: Any
    ) -> Job:
        """Retrieve what the answer stands for, in a job; see `Query.retrieve`."""
        return submit(self._transport, f"{self._path}/retrieve", _retrieval(target, method, fields), priority)

    def query(self, level: Level | str, query: Mapping[str, Any] | None = None, **tags: Any) -> Query:
        """Ask the node for what is below it: ``study.query("Series", Modality="")``.

        Parameters
        ----------
        level
            A level below that of the answer.
        query, **tags
            As in `Modality.query`.
        """
        plural = level_of(level).plural
        body = {"Query": dicom_tags(query or {}) | dicom_tags(tags)}
        answer = self._transport.json("POST", f"{self._path}/query-{plural}", json=body, again=True)
        with reading(self._transport.url, "a query"):
            return Query(self._transport, answer["ID"])

    def __repr__(self) -> str:
        words = ", ".join(f"{name} {self.tags[name]}" for name in _SHOWN if self.tags.get(name))
        return visible(f"<Answer {self.number}: {words}>" if words else f"<Answer {self.number}>")

    def _repr_html_(self) -> str:
        return display.card(f"Answer {self.number}", self.tags)


class Query(Sequence[Answer]):
    """A query that was sent to a node, with its answers, which the server keeps.

    Attributes
    ----------
    id
        Identifier, a UUID.

    Examples
    --------
    >>> from orthanc_lab.testing.dicom_node import DicomNode
    >>> with DicomNode(samples.path("mr")) as node:
    ...     query = client.modalities.add("node", **node.modality()).query("Series", Modality="MR")
    ...     query.level.value, query.modality, query.tags
    ...     len(query), query[0].Modality
    ('Series', 'node', {'Modality': 'MR'})
    (1, 'MR')
    """

    def __init__(self, transport: Transport, id: str) -> None:
        self._transport = transport
        self.id = id
        self._answers: list[Answer] | None = None

    @property
    def path(self) -> str:
        """Path on the server, ``/queries/…``."""
        return f"/queries/{segment(self.id, 'An identifier')}"

    @property
    def level(self) -> Level:
        """Level of the answers."""
        text = self._transport.send("GET", f"{self.path}/level").text
        with reading(self._transport.url, "a level"):
            return Level(text)

    @property
    def modality(self) -> str:
        """Name of the modality that was asked."""
        return self._transport.send("GET", f"{self.path}/modality").text

    @property
    def tags(self) -> dict[str, Any]:
        """What was asked, by keyword."""
        return self._transport.object(f"{self.path}/query", {"simplify": ""})

    @property
    def answers(self) -> list[Answer]:
        """The answers; they are fetched once and kept."""
        if self._answers is None:
            found = self._transport.get(f"{self.path}/answers", {"expand": "", "simplify": ""})
            with reading(self._transport.url, "the answers to a query"):
                self._answers = [
                    Answer(self._transport, f"{self.path}/answers/{number}", number, dict(tags))
                    for number, tags in enumerate(found)
                ]
        return self._answers

    def retrieve(
        self, *, target: str | None = None, method: Method | None = None, priority: int = 0, **fields: Any
    ) -> Job:
        """Retrieve what all answers stand for, in a job.

        Parameters
        ----------
        target
            AE title that the node sends to; None for this server. The node must know its address.
        method
            ``"C-MOVE"`` or ``"C-GET"``; None for the option `DicomDefaultRetrieveMethod`, or that of the modality.
        priority
            Priority of the job.
        fields
            Other fields described in the Orthanc Book (``Permissive``, ``Timeout`` …).

        Raises
        ------
        TypeError, ValueError
            For a field that Orthanc does not know, or another method.
        ResponseError
            If the server refuses it, for instance C-GET with a target.
        """
        return submit(self._transport, f"{self.path}/retrieve", _retrieval(target, method, fields), priority)

    def delete(self) -> None:
        """Have the server forget the query."""
        self._transport.send("DELETE", self.path)

    @overload
    def __getitem__(self, number: int) -> Answer: ...

    @overload
    def __getitem__(self, number: slice) -> list[Answer]: ...

    def __getitem__(self, number: int | slice) -> Answer | list[Answer]:
        return self.answers[number]

    def __len__(self) -> int:
        return len(self.answers)

    def __repr__(self) -> str:
        try:
            answers = display.counted(len(self), "answer", "answers")
            return visible(f"<Query {self.id[:8]} of {self.modality}: {self.level.value}, {answers}>")
        except ClientError as error:
            return f"<Query {self.id[:8]} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(self._table)

    def _table(self) -> str:
        names = dict.fromkeys(name for answer in self.answers for name in answer.tags if name not in _PLUMBING)
        return display.table(list(names), ([answer.tags.get(name) for name in names] for answer in self.answers))


class Queries:
    """The queries that a server keeps (option `QueryRetrieveSize`).

    Examples
    --------
    >>> from orthanc_lab.testing.dicom_node import DicomNode
    >>> with DicomNode(samples.path("mr")) as node:
    ...     query = client.modalities.add("node", **node.modality()).query("Study", PatientID="")
    >>> query.id in [kept.id for kept in client.queries]
    True
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __iter__(self) -> Iterator[Query]:
        return iter([Query(self._transport, id) for id in self._transport.array("/queries")])

    def __len__(self) -> int:
        return len(self._transport.array("/queries"))

    def __getitem__(self, id: str) -> Query:
        check_key(id, "client.queries")
        if id:
            query = Query(self._transport, id)
            with suppress(NotFoundError):
                self._transport.get(query.path)
                return query
        raise KeyError(f"The server keeps no query {id!r}, or not any more (option QueryRetrieveSize)")

    def __repr__(self) -> str:
        try:
            return f"<Queries of {self._transport.url}: {len(self)}>"
        except ClientError as error:
            return f"<Queries of {self._transport.url}: {type(error).__name__}>"


def _retrieval(target: str | None, method: Method | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    if method is not None:
        check_choice("method", method, get_args(Method))
    given = {"TargetAet": target, "RetrieveMethod": method}
    checked = checked_fields("retrieve", fields, known_fields.RETRIEVE, ("priority", "target", "method"))
    return {name: value for name, value in given.items() if value is not None} | checked
