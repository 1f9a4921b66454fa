"""Texts of answers that are asked for often and seldom change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable
from operator import eq
from typing import Any, Generic, TypeVar

import falcon

from orthanc_lab.protocol import house_json
from orthanc_lab.rest.http.answers import answer_json, wants_xml

__all__ = ["CachedJson", "TextCache"]

Source = TypeVar("Source")
Pieces = tuple[bytes, ...]

_SIZE = 4 << 20  # bytes


class TextCache(Generic[Source]):
    """Texts that are written again only when what they are made of has changed.

    Parameters
    ----------
    write
        Returns the text of a source, in pieces: what changes with every answer goes between two of them.
    same
        Tells whether two sources make the same text.
    size
        Bytes to keep at most (None for no limit): beyond that, the texts written first are forgotten.
    """

    def __init__(
        self,
        write: Callable[[Source], Pieces],
        *,
        same: Callable[[Source, Source], bool] = eq,
        size: int | None = _SIZE,
    ) -> None:
        self._write = write
        self._same = same
        self._largest = size
        self._size = 0
        self._known: dict[Hashable, tuple[Source, Pieces]] = {}
        self._lock = threading.Lock()

    def pieces(self, source: Source, key: Hashable = None) -> Pieces:
        """Return the text of a source; the cache keeps one for each key."""
        known = self._known.get(key)
        if known is None or not self._same(known[0], source):
            known = source, self._write(source)
            self._keep(key, known)
        return known[1]

    def retain(self, keys: Collection[Hashable]) -> None:
        """Forget the texts of all other keys."""
        if len(self._known) > len(keys):
            with self._lock:
                for key in self._known.keys() - set(keys):
                    self._forget(key)

    def _keep(self, key: Hashable, text: tuple[Source, Pieces]) -> None:
        with self._lock:
            self._forget(key)
            self._known[key] = text
            self._size += sum(map(len, text[1]))
            while self._largest is not None and self._size > self._largest:
                self._forget(next(iter(self._known)))

    def _forget(self, key: Hashable) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._size -= sum(map(len, known[1]))


class CachedJson(Generic[Source]):
    """A JSON answer that is written again only when what it is made of has changed.

    Parameters
    ----------
    make
        Returns the JSON value of a source; the same for equal sources.
    """

    def __init__(self, make: Callable[[Source], Any]) -> None:
        self._make = make
        self._texts = TextCache[Source](lambda source: (house_json.dumps(make(source)).encode("ascii"),))

    def answer(self, req: falcon.Request, resp: falcon.Response, source: Source, key: Hashable = None) -> None:
        """Answer with what `source` makes, as JSON, or as XML where the client asked for it."""
        if wants_xml(req):
            answer_json(req, resp, self._make(source))
            return
        resp.content_type = "application/json; charset=utf-8"
        (resp.data,) = self._texts.pieces(source, key)
