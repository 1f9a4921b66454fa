"""Compressed answers (``HttpCompressionEnabled``)."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import falcon

__all__ = ["CompressedAnswers"]

_SMALLEST = 2048  # bytes; a smaller answer is sent as it is
_LEVEL = 6
_TYPES = ("application/json", "application/xml", "application/javascript", "text/")


class CompressedAnswers:
    """Middleware: text of at least 2 kB is compressed for clients that say so; gzip before deflate."""

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: Any, succeeded: bool) -> None:
        """Compress the body of an answer."""
        accepted = req.get_header("Accept-Encoding")
        if accepted is None or resp.stream is not None:
            return
        names = {name.strip() for name in accepted.split(",")}
        encoding = next((name for name in ("gzip", "deflate") if name in names), None)
        if encoding is None or not (resp.content_type or "").startswith(_TYPES):
            return
        body = resp.render_body()
        if body is None or len(body) < _SMALLEST:
            return
        resp.text = None
        resp.data = gzip.compress(body, _LEVEL, mtime=0) if encoding == "gzip" else zlib.compress(body, _LEVEL)
        resp.set_header("Content-Encoding", encoding)
