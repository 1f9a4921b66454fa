"""All resources of a level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from orthanc_lab.client import display
from orthanc_lab.client.arguments import check_key, several
from orthanc_lab.client.content import dicom_tags
from orthanc_lab.client.errors import ClientError, reading
from orthanc_lab.client.resource import Resource
from orthanc_lab.client.transport import Transport

__all__ = ["Collection", "Found"]

R = TypeVar("R", bound=Resource)

_PAGE = 500  # resources per request
_SHOWN = 20


class Found(list[R]):
    """The resources that a search has found: a list, which a notebook shows as a table.

    Examples
    --------
    >>> client.studies.find(PatientName="Phantom*").one().StudyDescription
    'CT quality phantom'
    """

    def one(self) -> R:
        """Return the only resource.

        Raises
        ------
        LookupError
            If there is none, or more than one.
        """
        if len(self) == 1:
            return self[0]
        raise LookupError(f"Found {len(self)} instead of one" if self else "Nothing was found: is the query right?")

    def _repr_html_(self) -> str:
        return display.guarded(lambda: _table_of(self, len(self), "Nothing was found"))


class Collection(Generic[R]):
    """All resources of a level: iterate, count, look up by id, find.

    Examples
    --------
    >>> client.instances
    <20 instances at http://127.0.0.1:...>
    >>> study = next(iter(client.studies))
    >>> client.studies[study.id] == study
    True
    """

    def __init__(self, transport: Transport, kind: type[R]) -> None:
        self._transport = transport
        self._kind = kind

    def __iter__(self) -> Iterator[R]:
        since = 0
        before: list[R] = []
        while (page := self._page(since, _PAGE)) and page != before:  # a server that knows no pages sends all, always
            yield from page
            since += len(page)
            before = page

    def _page(self, since: int, limit: int) -> list[R]:
        parameters = {"expand": "", "since": since, "limit": limit}
        documents = self._transport.get(f"/{self._kind.level.plural}", parameters)
        return self._kind.listed(self._transport, documents)

    def __len__(self) -> int:
        counts = self._transport.get("/statistics")
        with reading(self._transport.url, "statistics"):
            return len(range(int(counts[f"Count{self._kind.level.plural.capitalize()}"])))

    def __getitem__(self, id: str) -> R:
        check_key(id, f"client.{self._kind.level.plural}")
        resource = self._kind(self._transport, id)
        if not id or not resource.exists():
            words = "look for other values with find()"
            raise KeyError(f"No {self._kind.level.value.lower()} has the Orthanc identifier {id!r}; {words}")
        return resource

    def __contains__(self, item: object) -> bool:
        id = item.id if isinstance(item, self._kind) else item
        return isinstance(id, str) and id != "" and self._kind(self._transport, id).exists()

    def find(
        self,
        query: Mapping[str, Any] | None = None,
        *,
        limit: int = 0,
        since: int = 0,
        order_by: str | Sequence[str] = (),
        labels: str | Sequence[str] | None = None,
        **tags: Any,
    ) -> Found[R]:
        r"""Return the resources whose tags match.

        Parameters
        ----------
        query, **tags
            Patterns with ``*`` and ``?``, date ranges (``"20250101-"``), or alternatives in a list or joined by a
            backslash. A `datetime.date` is a date, too.
        limit
            Maximum number of results; 0 for all.
        since
            Number of results to skip, for the next page.
        order_by
            Main DICOM tag to sort by, or several; ``"-"`` before a name reverses the order. Needs Orthanc 1.12.5 or
            later; earlier versions return results in order of arrival, which is also the default.
        labels
            Only resources that have this label, or all these labels.

        Raises
        ------
        TypeError
            If a label or a name is not text, or for a value that no tag can have.
        ResponseError
            If the server knows no such tag.

        Examples
        --------
        >>> client.studies.find(PatientName="Phantom*", StudyDate="20200101-")
        [<Study ...>]
        >>> client.series.find({"0008,0060": "MR"})
        []
        >>> [instance.number for instance in client.instances.find(order_by=["-InstanceNumber"], since=2, limit=3)]
        [18, 17, 16]
        """
        body: dict[str, Any] = {
            "Level": self._kind.level.value,
            "Query": dicom_tags(query or {}) | dicom_tags(tags),
            "Expand": True,
        }
        if limit:
            body["Limit"] = limit
        if since:
            body["Since"] = since
        if order_by:
            body["OrderBy"] = [_order(name) for name in several(order_by, "names of tags")]
        if labels:
            body["Labels"] = several(labels, "labels")
        documents = self._transport.json("POST", "/tools/find", json=body, again=True)
        return Found(self._kind.listed(self._transport, documents))

    def __repr__(self) -> str:
        try:
            level = self._kind.level
            return f"<{display.counted(len(self), level.value.lower(), level.plural)} at {self._transport.url}>"
        except ClientError as error:
            return f"<{self._kind.level.plural} at {self._transport.url} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(self._table)

    def _table(self) -> str:
        return _table_of(self._page(0, _SHOWN), len(self), f"No {self._kind.level.plural} yet")


def _table_of(resources: Sequence[Resource], count: int, empty: str) -> str:
    if not resources:
        return f"<div>{empty}</div>"
    shown = [{"Identifier": item.id, **item.summary} for item in resources[:_SHOWN]]
    return display.table(list(shown[0]), (list(row.values()) for row in shown), count=count)


def _order(name: str) -> dict[str, str]:
    key = name.removeprefix("-")
    kind = "DicomTagAsInt" if key.endswith("Number") and key != "AccessionNumber" else "DicomTag"
    return {"Type": kind, "Key": key, "Direction": "DESC" if name.startswith("-") else "ASC"}
