"""What to send: the body of ``/peers/{name}/store``, which names resources in one of four forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.queries.listed_instances import listed_instances
from orthanc_lab.rest.http.answers import unknown_resource
from orthanc_lab.rest.http.bodies import read_body
from orthanc_lab.storage.ports import Resources

if TYPE_CHECKING:
    import falcon

__all__ = ["StoreRequest", "instances_of", "read_store_request"]

_IDENTIFIER = re.compile(r"\s*([0-9a-f]{8}(?:-[0-9a-f]{8}){4})\s*", re.IGNORECASE)


class StoreRequest(NamedTuple):
    """The resources to send, and the other fields of the body."""

    resources: list[str]  # Orthanc identifiers, as asked for
    fields: dict[str, Any]  # {} if the body is not an object


def read_store_request(req: falcon.Request) -> StoreRequest:
    """Read a body: an identifier as text, a JSON string, an array, or an object with ``Resources``.

    Raises
    ------
    OrthancError
        15 for any other body, and for anything that is not an Orthanc identifier.
    """
    body = read_body(req)
    alone = _IDENTIFIER.fullmatch(body.decode("utf-8", "replace"))
    if alone:
        return StoreRequest([alone[1]], {})
    try:
        value = lenient_json.loads(body)
    except OrthancError as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Must provide a JSON value") from error
    if isinstance(value, str):
        return StoreRequest([_identifier(value)], {})
    if isinstance(value, list):
        return StoreRequest(_identifiers(value), {})
    if not isinstance(value, dict):
        text = "Must provide a JSON object, or a JSON array of strings"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
    if "Resources" not in value:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, 'Missing field in JSON: "Resources"')
    if not isinstance(value["Resources"], list):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, 'JSON field "Resources" must contain an array')
    return StoreRequest(_identifiers(value["Resources"]), value)


def instances_of(resources: list[str], storage: Resources) -> list[str]:
    """Return the instances below the resources, in the order of the resources.

    Raises
    ------
    OrthancError
        17 if a resource is unknown, 4 if the same ones are listed too often.
    """

    def below(id: str) -> list[str]:
        if storage.find_level(id) is None:
            raise unknown_resource()
        return storage.descendants(id, Level.INSTANCE)

    return listed_instances(resources, below)


def _identifiers(values: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        text = "Resources to be exported must be specified as a JSON array of strings"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
    return [_identifier(value) for value in values]


def _identifier(text: str) -> str:
    match = _IDENTIFIER.fullmatch(text)
    if match is None:
        details = f"This string is not a valid Orthanc identifier: {text}"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, details)
    return match[1]
