"""An answer that is asked for often and seldom changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import falcon

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import answer_json, wants_xml

__all__ = ["CachedJson"]

Source = TypeVar("Source")


class CachedJson(Generic[Source]):
    """A JSON answer that is written again only when what it is made of has changed.

    Parameters
    ----------
    make
        Returns the JSON value of a source; the same for equal sources.
    """

    def __init__(self, make: Callable[[Source], Any]) -> None:
        self._make = make
        self._last: tuple[Source, bytes] | None = None

    def answer(self, req: falcon.Request, resp: falcon.Response, source: Source) -> None:
        """Answer with what `source` makes."""
        if wants_xml(req):
            answer_json(req, resp, self._make(source))
            return
        last = self._last
        if last is None or last[0] != source:
            last = self._last = source, house_json.dumps(self._make(source)).encode("ascii")
        resp.content_type = "application/json; charset=utf-8"
        resp.data = last[1]
