"""Long lists, written piece by piece, so that they need little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import JSON, answer_json, wants_xml, xml_document

if TYPE_CHECKING:
    import falcon

__all__ = ["answer_batches", "answer_members", "answer_pieces", "answer_repeated", "array_items"]

_XML = "application/xml; charset=utf-8"
_XML_START, _XML_END = b'<?xml version="1.0" encoding="utf-8"?>\n<root>\n', b"</root>\n"


def answer_batches(req: falcon.Request, resp: falcon.Response, batches: Iterable[list[Any]]) -> None:
    """Answer one array of what all batches hold, as JSON, or as XML where the client asked for it."""
    if wants_xml(req):
        answer_json(req, resp, [item for batch in batches for item in batch])
        return
    answer_pieces(resp, (array_items(batch) for batch in batches if batch))


def answer_pieces(resp: falcon.Response, pieces: Iterable[bytes]) -> None:
    """Answer one array as JSON, given as pieces with some of its items each (`array_items`)."""
    items = b",".join(pieces)
    resp.content_type = JSON
    resp.data = b"".join((b"[", items, b"\n]")) if items else b"[]"


def array_items(items: list[Any]) -> bytes:
    """Return the text of an array, which is not empty, without its brackets."""
    return house_json.dumps(items)[1:-2].encode("ascii")


def answer_members(req: falcon.Request, resp: falcon.Response, members: Iterable[tuple[str, Any]]) -> None:
    """Answer one object; each of its values is written as it comes, and not kept.

    Parameters
    ----------
    members
        Names and values, sorted by name.
    """
    is_xml = wants_xml(req)
    text = BytesIO()  # whose bytes are not copied at the end
    for name, value in members:
        if is_xml:
            piece = xml_document({name: value}).encode()[len(_XML_START) : -len(_XML_END)]
            between = b"" if text.tell() else _XML_START
        else:
            piece = house_json.dumps({name: value})[1:-2].encode("ascii")
            between = b"," if text.tell() else b"{"
        text.write(between)
        text.write(piece)
    if not text.tell():
        answer_json(req, resp, {})
        return
    text.write(_XML_END if is_xml else b"\n}")
    resp.content_type = _XML if is_xml else JSON
    resp.data = text.getvalue()


def answer_repeated(req: falcon.Request, resp: falcon.Response, items: Sequence[Any], order: Sequence[int]) -> None:
    """Answer one array in which the same items may stand again and again; each is written, and kept, once.

    Parameters
    ----------
    items
        Each of them once.
    order
        Which one stands at each place.
    """
    if wants_xml(req):
        resp.content_type = _XML
        start, between, end = _XML_START, b"", _XML_END
        pieces = [xml_document([item]).encode()[len(start) : -len(end)] for item in items]
    else:
        resp.content_type = JSON
        start, between, end = b"[", b",", b"\n]"
        pieces = [array_items([item]) for item in items]
    size = sum(len(pieces[place]) for place in order) + len(between) * (len(order) - 1) + len(start) + len(end)
    resp.set_stream(_joined(start, between, end, (pieces[place] for place in order)), size)


def _joined(start: bytes, between: bytes, end: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    mark = start
    for piece in pieces:
        yield mark + piece
        mark = between
    yield end
