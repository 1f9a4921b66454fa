"""Long lists, written piece by piece, so that they need little memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import falcon

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import JSON, answer_json, wants_xml

__all__ = ["answer_batches", "answer_pieces", "array_items"]


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
