"""The bodies of calls that ask another node: tags, levels, titles and time-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dimse.identifiers import TagValues
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.bodies import text_of
from orthanc_lab.rest.network.modality_bodies import timeout_field

__all__ = [
    "QueryRequest",
    "check_query",
    "find_tags",
    "read_query",
    "read_subquery",
    "resource_tags",
]


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """What a call to ``/modalities/{name}/query`` asks for."""

    level: Level
    asked: TagValues
    normalize: bool
    local_aet: str | None  # None: ours
    timeout: int | None  # seconds; None: those of the modality, or of the options


def check_query(fields: dict[str, Any]) -> None:
    """Check the types in the body of ``/modalities/{name}/query``, which Orthanc does before it looks for the modality.

    Raises
    ------
    OrthancError
        15, as Orthanc words it.
    """
    if not isinstance(fields.get("Level"), str):
        raise _bad("The JSON body must contain field Level")
    _query_object(fields)
    if not isinstance(fields.get("Normalize", True), bool):
        raise _bad("The field Normalize must contain a Boolean")
    if not isinstance(fields.get("LocalAet", ""), str):
        raise _bad("The field LocalAet must contain a string")


def read_query(fields: dict[str, Any], dictionary: Dictionary) -> QueryRequest:
    """Read the body of ``/modalities/{name}/query``, whose types are checked (`check_query`).

    Raises
    ------
    OrthancError
        15 or 3, as Orthanc words it.
    """
    level = Level.parse(fields["Level"])
    asked = _query_field(fields, dictionary)
    return QueryRequest(level, asked, fields.get("Normalize", True), fields.get("LocalAet"), timeout_field(fields))


def read_subquery(fields: dict[str, Any], level: Level, parent: TagValues, dictionary: Dictionary) -> QueryRequest:
    """Read the body of a query below an answer, whose identifiers take precedence."""
    asked = {**_query_field(fields, dictionary), **parent}
    return QueryRequest(level, asked, True, None, timeout_field(fields))


def resource_tags(resource: Any, dictionary: Dictionary) -> TagValues:
    """Return the tags of an item of ``Resources``.

    Raises
    ------
    OrthancError
        15 for anything but an object of texts, 27 for an unknown tag.
    """
    if not isinstance(resource, dict):
        raise _bad("Expecting an object in field 'Resources elements'")
    tags = {}
    for name, value in sorted(resource.items()):
        tag = dictionary.parse_tag(name)
        if not isinstance(value, str):
            raise _bad(f"Expecting a string in field '{name}'")
        tags[tag] = value
    return tags


def find_tags(fields: dict[str, Any], dictionary: Dictionary) -> dict[int, str]:
    """Return the tags of a body of ``/modalities/{name}/find`` and the like.

    Raises
    ------
    OrthancError
        27 for an unknown tag, -1 for a value that cannot be read as text.
    """
    return {dictionary.parse_tag(name): text_of(value) for name, value in sorted(fields.items())}


def _query_object(fields: dict[str, Any]) -> dict[str, Any]:
    query = fields.get("Query", {})
    if not isinstance(query, dict):
        raise _bad("The field Query must contain a JSON object")
    return query


def _query_field(fields: dict[str, Any], dictionary: Dictionary) -> dict[int, str]:
    tags = {}
    for name, value in sorted(_query_object(fields).items()):
        try:
            tag = dictionary.parse_tag(name)
        except OrthancError as error:
            raise _bad(_NO_STRINGS) from error
        if not isinstance(value, str):
            raise _bad(_NO_STRINGS)
        tags[tag] = value
    return tags


_NO_STRINGS = "Associative array of DICOM tags to strings expected in field: Query"


def _bad(details: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, details)
