"""Long lists, written piece by piece, so that they need little memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import falcon

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import answer_json, wants_xml

__all__ = ["answer_batches"]


def answer_batches(req: falcon.Request, resp: falcon.Response, batches: Iterable[list[Any]]) -> None:
    """Answer one array of what all batches hold, as JSON, or as XML where the client asked for it."""
    if wants_xml(req):
        answer_json(req, resp, [item for batch in batches for item in batch])
        return
    # Each batch without its brackets.
    pieces = [house_json.dumps(batch)[1:-2].encode("ascii") for batch in batches if batch]
    resp.content_type = "application/json; charset=utf-8"
    resp.data = b"".join((b"[", b",".join(pieces), b"\n]")) if pieces else b"[]"
