"""How a request body is read: raw bytes, lenient JSON, booleans, the job fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol import house_json, lenient_json
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError

if TYPE_CHECKING:
    import falcon

__all__ = [
    "JobFields",
    "boolean_field",
    "job_fields",
    "parse_object",
    "read_body",
    "read_boolean",
    "read_json",
    "read_object",
    "read_parsed_body",
    "text_of",
]

_LARGE = 1 << 20  # bytes
_BYTES_OF_A_LETTER = 20  # of memory: an empty array takes about 60


def read_body(req: falcon.Request) -> bytes:
    """Return the whole body as it was sent; only uploads look at ``Content-Encoding``, as in Orthanc."""
    body: bytes = req.stream.read() if req.content_length is None else req.bounded_stream.read()
    return body


def read_parsed_body(req: falcon.Request) -> bytes:
    """Return the body, having reserved what its JSON values may take in memory until the request ends.

    Raises
    ------
    OrthancError
        4 with status 503 if the memory is spent.
    """
    body = read_body(req)
    if len(body) > _LARGE:
        req.context.reservation = req.context.memory.reserve(_BYTES_OF_A_LETTER * len(body))
    return body


def read_json(
    req: falcon.Request, *, error: int = ErrorCode.BAD_FILE_FORMAT, details: str = "", optional: bool = False
) -> Any:
    """Return the body as JSON; `error` and `details` say how broken JSON is refused.

    Parameters
    ----------
    optional
        Whether an empty body stands for ``{}``.
    """
    body = read_parsed_body(req)
    return {} if optional and not body else _parsed(body, error, details)


def _parsed(body: bytes, error: int, details: str) -> Any:
    try:
        return lenient_json.loads(body)
    except OrthancError as problem:
        if problem.code != ErrorCode.BAD_JSON:
            raise
        raise OrthancError(error, details) from problem


def read_object(req: falcon.Request, *, error: int = ErrorCode.BAD_FILE_FORMAT, details: str = "") -> dict[str, Any]:
    """Return the body as a JSON object; anything else is refused with `error`."""
    return parse_object(read_parsed_body(req), error=error, details=details)


def parse_object(body: bytes, *, error: int = ErrorCode.BAD_FILE_FORMAT, details: str = "") -> dict[str, Any]:
    """Return a body that was read (`read_parsed_body`) as a JSON object; anything else is refused with `error`."""
    value = _parsed(body, error, details)
    if not isinstance(value, dict):
        raise OrthancError(error, details)
    return value


def read_boolean(req: falcon.Request) -> bool:
    """Return a body of ``0``, ``1``, ``false`` or ``true``.

    Raises
    ------
    OrthancError
        15 ``Boolean value expected``.
    """
    value = {b"0": False, b"false": False, b"1": True, b"true": True}.get(read_body(req).strip())
    if value is None:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Boolean value expected")
    return value


@dataclass(frozen=True, slots=True)
class JobFields:
    """The fields of a body that any call which creates a job understands."""

    synchronous: bool
    priority: int
    permissive: bool


def job_fields(body: Any, *, permissive: bool = True) -> JobFields:
    """Read ``Synchronous``, ``Asynchronous``, ``Priority`` and ``Permissive`` of a body.

    Parameters
    ----------
    body
        The JSON body; anything but an object has no fields.
    permissive
        False for the calls that do not look at ``Permissive`` (archives).
    """
    fields = body if isinstance(body, dict) else {}
    allowed = permissive and "Permissive" in fields and boolean_field(fields, "Permissive")
    if "Synchronous" in fields:
        synchronous = boolean_field(fields, "Synchronous")
    elif "Asynchronous" in fields:
        synchronous = not boolean_field(fields, "Asynchronous")
    else:
        synchronous = True
    priority = fields.get("Priority", 0)
    if type(priority) is not int:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Integer value expected in field: Priority")
    lenient_json.require_int32(priority)
    return JobFields(synchronous, priority, allowed)


def boolean_field(fields: dict[str, Any], name: str, default: bool | None = None) -> bool:
    """Return a boolean field of a body; one that is absent has the default.

    Raises
    ------
    OrthancError
        15 ``Boolean value expected in field: NAME``.
    """
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Boolean value expected in field: {name}")
    return value


def text_of(value: Any) -> str:
    """Return a JSON value as the text for which Orthanc takes it, where it expects one; null is the empty text.

    Raises
    ------
    OrthancError
        -1 for an object or an array.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    return "" if value is None else house_json.dumps(value)
