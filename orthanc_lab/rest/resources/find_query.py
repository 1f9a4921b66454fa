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

__all__ = ["QueryReader"]

_INT64 = range(-(2**63), 2**63)
_PARENTS = {"ParentPatient": Level.PATIENT, "ParentStudy": Level.STUDY, "ParentSeries": Level.SERIES}
_ORDER_TYPES = {
    f"{kind}{suffix}": (kind == "Metadata", cast)
    for kind in ("DicomTag", "Metadata")
    for suffix, cast in (("", "text"), ("AsInt", "int"), ("AsFloat", "float"))
}


@dataclass(frozen=True, slots=True)
class QueryReader:
    """Reads queries in Orthanc's syntax.

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
        """Return the query of a body; constraints that match everything are left out.

        Raises
        ------
        OrthancError
            8, 3, 7 or 27 for what is missing, of another type or unknown.
        """
        if not isinstance(body.get("Level"), str):
            raise _bad_request('Field "Level" is missing, or should be a string')
        if "Query" not in body:
            raise _bad_request('Field "Query" is missing, or should be a JSON object')
        level = Level.parse(body["Level"])
        case_sensitive = _typed(body, "CaseSensitive", bool, "must be a Boolean", default=False)
        limit, since = _unsigned(body, "Limit"), _unsigned(body, "Since")
        labels, labels_constraint = _labels(body)
        return FindQuery(
            level=level,
            constraints=self._constraints(body["Query"], case_sensitive),
            metadata=self._metadata_query(body),
            labels=labels,
            labels_constraint=labels_constraint,
            parents=_parents(body),
            order=self._orders(body),
            since=since,
            limit=limit,
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
            tag = self.dictionary.parse_tag(name)
            if not value:
                continue
            check_wildcards(tag, value, self.dictionary)
            constraints.append(Constraint(format_tag(tag), value, case_sensitive))
        return constraints

    def _metadata_query(self, body: dict[str, Any]) -> dict[str, str]:
        query = _typed(body, "MetadataQuery", dict, "must be an JSON object", default={})
        for name in sorted(query):
            if not isinstance(query[name], str):
                raise _bad_request(f'Tag "{name}" must be associated with a string')
        return {self.metadata.name(self.metadata.number(name)): query[name] for name in query if query[name]}

    def _orders(self, body: dict[str, Any]) -> list[Order]:
        orders = _typed(body, "OrderBy", list, "must be an array", default=[])
        return [self._order(item) for item in orders]

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


def _parents(body: dict[str, Any]) -> dict[Level, str]:
    return {level: _typed(body, name, str, "must be a string") for name, level in _PARENTS.items() if name in body}


def _labels(body: dict[str, Any]) -> tuple[Sequence[str], str]:
    labels = _typed(body, "Labels", list, "must be an array of strings", default=[])
    if not all(isinstance(label, str) for label in labels):
        raise _bad_request('Field "Labels" must contain strings')
    constraint = _typed(body, "LabelsConstraint", str, "must be an array of strings", default="All")
    if constraint not in ("All", "Any", "None"):
        raise _bad_request('Field "LabelsConstraint" must be "All", "Any", or "None"')
    return labels, constraint


def _typed(body: dict[str, Any], name: str, kind: type, wanted: str, default: Any = None) -> Any:
    value = body.get(name, default)
    if not isinstance(value, kind):
        raise _bad_request(f'Field "{name}" {wanted}')
    return value


def _unsigned(body: dict[str, Any], name: str) -> int:
    value = body.get(name, 0)
    if type(value) is not int or value not in _INT64:
        raise _bad_request(f'Field "{name}" must be an integer')
    if value < 0:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f'Field "{name}" must be a positive integer')
    return value


def _bad_request(details: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_REQUEST, details)
