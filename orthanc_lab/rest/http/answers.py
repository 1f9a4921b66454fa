"""How an answer is written: JSON in the house format, XML if asked for, text, nothing."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    import falcon

__all__ = [
    "JSON",
    "EmptyAnswer",
    "answer_empty_object",
    "answer_json",
    "answer_nothing",
    "answer_text",
    "unknown_resource",
    "wants_xml",
    "xml_document",
]

JSON = "application/json; charset=utf-8"
"""The type of JSON in the house format."""


class EmptyAnswer(Exception):
    """An answer of a status alone: no body, no Content-Type ("404/empty" in Orthanc's ways)."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers or {}


def unknown_resource() -> OrthancError:
    """Return the error of an unknown path or resource (404 with code 17)."""
    return OrthancError(ErrorCode.UNKNOWN_RESOURCE)


def answer_json(req: falcon.Request, resp: falcon.Response, value: Any) -> None:
    """Answer with `value` as JSON, or as XML where the client asked for it."""
    if wants_xml(req):
        resp.content_type = "application/xml; charset=utf-8"
        resp.text = xml_document(value)
    else:
        resp.content_type = JSON
        resp.data = house_json.dumps(value).encode("ascii")


def wants_xml(req: falcon.Request) -> bool:
    """Tell whether ``Accept`` begins with ``application/xml`` and no other type; Orthanc looks no further."""
    accepted = req.env.get("HTTP_ACCEPT")
    return accepted is not None and accepted.partition(";")[0] == "application/xml"


def answer_empty_object(req: falcon.Request, resp: falcon.Response) -> None:
    """Answer the fixed ``{}`` of echo, cancel, verify-md5 … (no charset, exactly 2 bytes), or as XML."""
    if wants_xml(req):
        answer_json(req, resp, {})
    else:
        resp.content_type = "application/json"
        resp.data = b"{}"


def answer_text(resp: falcon.Response, text: str | bytes) -> None:
    """Answer plain text, without a final line break."""
    resp.content_type = "text/plain"
    resp.data = text.encode() if isinstance(text, str) else text


def answer_nothing(resp: falcon.Response) -> None:
    """Answer a successful PUT or DELETE: 200, text/plain, length 0."""
    answer_text(resp, b"")


def xml_document(value: Any) -> str:
    """Return a JSON value as XML."""
    if not value:
        return '<?xml version="1.0" encoding="utf-8"?>\n<root />\n'
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<root>"]
    _xml_children(value, "  ", lines, [0])
    return "\n".join([*lines, "</root>"]) + "\n"


def _xml_children(value: Any, indent: str, lines: list[str], blanks: list[int]) -> None:
    house_json.count_blanks(indent, value, lines, blanks)
    named = value.items() if isinstance(value, dict) else [("item", item) for item in value]
    for key, item in sorted(named) if isinstance(value, dict) else named:
        name = escape(key, quote=False)
        if isinstance(item, (dict, list, tuple)):
            if item:
                lines.append(f"{indent}<{name}>")
                _xml_children(item, indent + "  ", lines, blanks)
                lines.append(f"{indent}</{name}>")
            else:
                lines.append(f"{indent}<{name} />")
        else:
            text = item if isinstance(item, str) else house_json.dumps(item)
            lines.append(f"{indent}<{name}>{_CONTROL.sub(_reference, escape(text, quote=False))}</{name}>")


_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]")


def _reference(control: re.Match[str]) -> str:
    return f"&#{ord(control[0]):02d};"
