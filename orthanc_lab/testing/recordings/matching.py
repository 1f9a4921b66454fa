"""Which recorded exchange answers a request."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from threading import Lock
from typing import TypeAlias

from orthanc_lab.protocol.visible import visible
from orthanc_lab.testing.recordings.exchange import Body, Headers, RecordedExchange

__all__ = ["Matcher", "RequestKey", "key_of"]

_COMPARED = ("range", "if-match", "if-none-match", "accept", "depth", "destination")
"""Headers that decide what is answered."""

_LONGEST_DOCUMENT = 16 << 20  # bytes of a JSON document that is compared by its content, not its layout
_MOST_SHOWN = 3
_LONGEST_SHOWN = 500  # letters of a path, a query, a header
_MOST_COMPARED = 2000
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})"?', re.IGNORECASE)
_LONGEST_START = 256  # bytes, in which a document or the first boundary begins

Digests: TypeAlias = dict[tuple[str, bytes], str]
"""SHA-256 of bodies as they are compared, by their own one and their boundary."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What two requests have in common that get the same answer."""

    method: str
    path: str
    query: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    body: str
    """SHA-256 of the body; of its content alone for JSON, without the boundary for several parts."""

    def differences(self, other: RequestKey) -> list[str]:
        """Return in words how the request `other` differs from this one, which was recorded."""
        found = []
        for name in ("method", "path"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                found.append(f"{name} {_short(mine)} in the recording, {_short(theirs)} in the request")
        if self.query != other.query:
            found.append(f"query {_shown(self.query)} in the recording, {_shown(other.query)} in the request")
        mine_, theirs_ = dict(self.headers), dict(other.headers)
        for name in _COMPARED:
            if mine_.get(name) != theirs_.get(name):
                mine, theirs = (_short(headers.get(name, "(none)")) for headers in (mine_, theirs_))
                found.append(f"header {name} {mine} in the recording, {theirs} in the request")
        if self.body != other.body:
            found.append("another body")
        return found


def _shown(query: Sequence[str]) -> str:
    return _short("&".join(query)) or "(none)"


def _short(text: str) -> str:
    return visible(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def _request(key: RequestKey) -> str:
    return f"{_short(key.method)} {_short(key.path)}" + (f"?{_shown(key.query)}" if key.query != ("",) else "")


def key_of(method: str, target: str, headers: Headers, body: Body | None, digests: Digests | None = None) -> RequestKey:
    """Return the key of a request.

    Parameters
    ----------
    digests
        What was found out about the bodies of other requests, to which this one's is added: many may have the same.

    Examples
    --------
    >>> key_of("GET", "/changes?limit=1&since=0", (), None) == key_of("GET", "/changes?since=0&limit=1", (), None)
    True
    """
    path, _, query = target.partition("?")
    fields = dict(headers)
    compared = tuple((name, fields[name]) for name in _COMPARED if fields.get(name, "*/*") != "*/*")
    digest = _digest_of(body, fields, {} if digests is None else digests)
    return RequestKey(method, path, tuple(sorted(query.split("&"))), compared, digest)


def _digest_of(body: Body | None, headers: dict[str, str], digests: Digests) -> str:
    if body is None or not body.size:
        return ""
    boundary = _BOUNDARY.search(headers.get("content-type", ""))
    mark = b"" if boundary is None else boundary[1].encode()
    if mark and not _start_of(body).startswith(b"--" + mark):
        return body.digest
    place = (body.digest, mark)
    if place not in digests:
        digests[place] = _digest_without(mark, body) if mark else _digest_of_document(body)
    return digests[place]


def _start_of(body: Body) -> bytes:
    start = b""
    for piece in body.pieces():
        start += piece
        if len(start) >= _LONGEST_START:
            break
    return start[:_LONGEST_START].lstrip()


def _digest_of_document(body: Body) -> str:
    if body.size > _LONGEST_DOCUMENT or _start_of(body)[:1] not in (b"{", b"["):
        return body.digest
    try:
        document = json.loads(body.read())
    except (ValueError, RecursionError):
        return body.digest
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _digest_without(boundary: bytes, body: Body) -> str:
    """Return the SHA-256 of a body without the boundary of its parts, which each client makes up anew."""
    digest = hashlib.sha256()
    kept = b""
    for piece in body.pieces():
        buffer = (kept + piece).replace(boundary, b"")
        split = max(0, len(buffer) - len(boundary) + 1)
        digest.update(buffer[:split])
        kept = buffer[split:]
    digest.update(kept)
    return digest.hexdigest()


class Matcher:
    """The exchanges of a recording by request: the first answer first, and so on; the last one again and again.

    Parameters
    ----------
    exchanges
        Those of the recording.
    """

    def __init__(self, exchanges: Iterable[RecordedExchange]) -> None:
        self._by_key: dict[RequestKey, list[RecordedExchange]] = defaultdict(list)
        digests: Digests = {}
        for exchange in sorted(exchanges, key=lambda one: one.at):
            key = key_of(exchange.method, exchange.target, exchange.headers, exchange.body, digests)
            self._by_key[key].append(exchange)
        self._next: dict[RequestKey, int] = defaultdict(int)
        self._lock = Lock()

    def take(self, key: RequestKey) -> RecordedExchange | None:
        """Return the exchange that answers a request, None if there is none."""
        found = self._by_key.get(key)
        if found is None:
            return None
        with self._lock:
            turn = self._next[key]
            self._next[key] += 1
        return found[min(turn, len(found) - 1)]

    def restart(self) -> None:
        """Answer as at the beginning."""
        with self._lock:
            self._next.clear()

    def explain(self, key: RequestKey) -> str:
        """Return the text that shows the recorded requests which are nearest to one that is not recorded."""
        request = _request(key)
        lines = [f"{request} is not in the recording"]
        nearest = _nearest(key, self._by_key)
        if nearest:
            lines.append("The nearest requests in it:")
        for other in nearest:
            lines.append(f"  {_request(other)}")
            lines += [f"    {difference}" for difference in other.differences(key)]
        return "\n".join(lines)


def _nearest(key: RequestKey, keys: Iterable[RequestKey]) -> list[RequestKey]:
    distance = _distance(key)
    candidates = [(distance(other), number, other) for number, other in enumerate(keys) if number < _MOST_COMPARED]
    return [other for _, _, other in sorted(candidates, key=lambda one: one[:2])[:_MOST_SHOWN]]


def _distance(key: RequestKey) -> Callable[[RequestKey], float]:
    matcher = SequenceMatcher(b=key.path[:500].split("/"), autojunk=False)

    def distance(other: RequestKey) -> float:
        matcher.set_seq1(other.path[:500].split("/"))
        path = 0 if other.path == key.path else 2 + 3 * (1 - matcher.ratio())
        return path + (other.method != key.method) + (other.query != key.query) + (other.headers != key.headers) / 2

    return distance
