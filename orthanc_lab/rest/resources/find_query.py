"""The body of ``/tools/find`` and ``/tools/count-resources``, read into a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.queries.constraints import check_wildcards
from orthanc_lab.rest.resources.numbered_names import NumberedNames
from orthanc_lab.storage.records import Constraint, FindQuery, Order

__all__ = ["QueryReader", "check_types", "page_wanted"]

_INT64 = range(-(2**63), 2**63)
_TYPES: tuple[tuple[str, type, str], ...] = (
    ("CaseSensitive", bool, "must be a Boolean"),
    ("Labels", list, "must be an array of strings"),
    ("LabelsConstraint", str, "must be an array of strings"),
    ("MetadataQuery", dict, "must be an JSON object"),
    ("ParentPatient", str, "must be a string"),
    ("ParentStudy", str, "must be a string"),
    ("ParentSeries", str, "must be a string"),
)
_TYPES_OF_FIND: tuple[tuple[str, type, str], ...] = (
    ("Limit", int, "must be an integer"),
    ("Since", int, "must be an integer"),
    ("RequestedTags", list, "must be an array"),
    ("ResponseContent", list, "must be an array"),
    ("OrderBy", list, "must be an array"),
)
_PARENTS = {"ParentPatient": Level.PATIENT, "ParentStudy": Level.STUDY, "ParentSeries": Level.SERIES}
_ORDER_TYPES = {
    f"{kind}{suffix}": (kind == "Metadata", cast)
    for kind in ("DicomTag", "Metadata")
    for suffix, cast in (("", "text"), ("AsInt", "int"), ("AsFloat", "float"))
}


def check_types(body: dict[str, Any], *, is_count: bool = False) -> None:
    """Check the types of all fields, in Orthanc's order, before any is read.

    Parameters
    ----------
    is_count
        Whether the page, the order and what is shown are not even looked at.

    Raises
    ------
    OrthancError
        8 for what is missing or of another type.
    """
    if not isinstance(body.get("Level"), str):
        raise _bad_request('Field "Level" is missing, or should be a string')
    if "Query" not in body:
        raise _bad_request('Field "Query" is missing, or should be a JSON object')
    for name, kind, wanted in _TYPES if is_count else _TYPES + _TYPES_OF_FIND:
        if name in body:
            value = body[name]
            if not isinstance(value, kind) or (
                kind is int and (value is True or value is False or value not in _INT64)
            ):
                raise _bad_request(f'Field "{name}" {wanted}')


def page_wanted(body: dict[str, Any]) -> tuple[int, int]:
    """Return ``Since`` and ``Limit`` of a body, 0 without them.

    Raises
    ------
    OrthancError
        3 for a negative number.
    """
    for name in ("Limit", "Since"):
        if body.get(name, 0) < 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f'Field "{name}" must be a positive integer')
    return body.get("Since", 0), body.get("Limit", 0)


@dataclass(frozen=True, slots=True)
class QueryReader:
    """Reads queries in Orthanc's syntax, from bodies whose types are checked (`check_types`).

    Parameters
    ----------
    dictionary
        Names and VRs of tags.
    metadata
        Names of metadata.
    """

    dictionary: Dictionary
    metadata: NumberedNames

    def read(self, body: dict[str, Any]) -> FindQuery:
        """Return the query of a body, without page and order; constraints that match everything are left out.

        Raises
        ------
        OrthancError
            8, 3, 7 or 27 for what is of another type or unknown, 6 for a parent below the level of the query.
        """
        level = Level.parse(body["Level"])
        constraints = self._constraints(body["Query"], body.get("CaseSensitive", False))
        metadata = self._metadata_query(body.get("MetadataQuery", {}))
        labels, labels_constraint = _labels(body)
        highest = next((name for name in _PARENTS if name in body), None)  # the others are ignored, as in Orthanc
        return FindQuery(
            level=level,
            constraints=constraints,
            metadata=metadata,
            labels=labels,
            labels_constraint=labels_constraint,
            parents={_PARENTS[highest]: body[highest]} if highest else {},
        )

    def _constraints(self, query: Any, case_sensitive: bool) -> list[Constraint]:
        if query is None:
            return []
        if not isinstance(query, dict):
            # This is Orthanc's answer to any JSON but an object.
            raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
        constraints = []
        for name in sorted(query):
            value = query[name]
            if not isinstance(value, str):
                raise _bad_request(f'Tag "{name}" must be associated with a string')
            if not value:
                continue  # it finds everything, whatever the name
            tag = self.dictionary.parse_tag(name)
            check_wildcards(tag, value, self.dictionary)
            constraints.append(Constraint(format_tag(tag), value, case_sensitive))
        return constraints

    def _metadata_query(self, query: dict[str, Any]) -> dict[str, str]:
        for name in sorted(query):
            if not isinstance(query[name], str):
                raise _bad_request(f'Tag "{name}" must be associated with a string')
        found = {self.metadata.name(self.metadata.number(name)): query[name] for name in query}
        return {name: pattern for name, pattern in found.items() if pattern}

    def order(self, body: dict[str, Any]) -> list[Order]:
        """Return the order that a body asks for.

        Raises
        ------
        OrthancError
            8, 7 or 27 for what is missing, of another type or unknown.
        """
        return [self._order(item) for item in body.get("OrderBy", ())]

    def _order(self, item: Any) -> Order:
        if not isinstance(item, dict):
            raise _bad_request('Field "OrderBy" must contain objects')
        if not isinstance(item.get("Key"), str):
            raise _bad_request('Field "Key" must be a string')
        if not isinstance(item.get("Type"), str):
            raise _bad_request('Field "Type" must be "DicomTag" or "Metadata"')
        direction = item.get("Direction")
        if not isinstance(direction, str) or direction.upper() not in ("ASC", "DESC"):
            raise _bad_request('Field "Direction" must be "ASC" or "DESC"')
        if item["Type"] not in _ORDER_TYPES:
            raise _bad_request(
                'Field "Type" must be "DicomTag", "DicomTagAsInt", "DicomTagAsFloat" or '
                '"Metadata", "MetadataAsInt", "MetadataAsFloat"'
            )
        metadata, cast = _ORDER_TYPES[item["Type"]]
        name = item["Key"]
        key = (
            self.metadata.name(self.metadata.number(name)) if metadata else format_tag(self.dictionary.parse_tag(name))
        )
        return Order(key, metadata, cast, direction.upper() == "DESC")


def _labels(body: dict[str, Any]) -> tuple[Sequence[str], str]:
    labels = body.get("Labels", [])
    if not all(isinstance(label, str) for label in labels):
        raise _bad_request('Field "Labels" must contain strings')
    constraint = body.get("LabelsConstraint", "All")
    if constraint not in ("All", "Any", "None"):
        raise _bad_request('Field "LabelsConstraint" must be "All", "Any", or "None"')
    return labels, constraint


def _bad_request(details: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_REQUEST, details)
