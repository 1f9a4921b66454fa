"""Texts of answers that are asked for often and seldom change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import JSON, answer_json, wants_xml
from orthanc_lab.rest.http.plain_answers import PlainAnswer

if TYPE_CHECKING:
    import falcon

__all__ = ["CachedJson", "TextCache"]

Source = TypeVar("Source")
_SIZE = 4 << 20  # bytes


class TextCache(Generic[Source]):
    """Texts that are written again only when what they are made of has changed.

    Parameters
    ----------
    write
        Returns the text of a source; the same for equal sources.
    size
        Bytes to keep at most: beyond that, the texts written first are forgotten.
    """

    def __init__(self, write: Callable[[Source], bytes], size: int = _SIZE) -> None:
        self._write = write
        self._largest = size
        self._size = 0
        # Not a dict: to find the first of its keys takes the longer, the more were removed before it.
        self._known: OrderedDict[Hashable, tuple[Source, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def text(self, source: Source, key: Hashable = None) -> bytes:
        """Return the text of a source; the cache keeps one for each key."""
        known = self._known.get(key)
        if known is None or (known[0] is not source and known[0] != source):
            known = source, self._write(source)
            self._keep(key, known)
        return known[1]

    def _keep(self, key: Hashable, known: tuple[Source, bytes]) -> None:
        with self._lock:
            old = self._known.pop(key, None)
            self._size += len(known[1]) - (0 if old is None else len(old[1]))
            self._known[key] = known
            while self._size > self._largest:
                self._size -= len(self._known.popitem(last=False)[1][1])


class CachedJson(Generic[Source]):
    """A JSON answer that is written again only when what it is made of has changed.

    Parameters
    ----------
    make
        Returns the JSON value of a source; the same for equal sources.
    """

    def __init__(self, make: Callable[[Source], Any]) -> None:
        self._make = make
        self._texts = TextCache[Source](lambda source: house_json.dumps(make(source)).encode("ascii"))

    def answer(self, req: falcon.Request, resp: falcon.Response, source: Source, key: Hashable = None) -> None:
        """Answer with what `source` makes, as JSON, or as XML where the client asked for it."""
        if wants_xml(req):
            answer_json(req, resp, self._make(source))
            return
        resp.content_type = JSON
        resp.data = self._texts.text(source, key)

    def plain(self, source: Source, key: Hashable = None) -> PlainAnswer:
        """Return what `answer` answers as JSON."""
        return PlainAnswer(JSON, self._texts.text(source, key))
