"""Answers of a WSGI application that come late, end early, or break."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Answer", "answer_of", "body_of", "broken", "cut", "late", "read_all", "send", "with_body"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application answered."""

    status: str
    headers: list[tuple[str, str]]
    body: Iterable[bytes]

    @property
    def type(self) -> str:
        """Its ``Content-Type``."""
        return self.header("content-type")

    @property
    def length(self) -> int | None:
        """The bytes of its body, None if that is not known before its end."""
        if isinstance(self.body, (list, tuple)):
            return sum(map(len, self.body))
        announced = self.header("content-length")
        return int(announced) if announced else None

    def header(self, name: str) -> str:
        """Return the value of a header, "" if it is missing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def answer_of(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """Let an application answer, without sending anything."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        started.append((status, headers))

    body = application(environ, start)
    status, headers = started[-1]
    return Answer(status, headers, body)


def read_all(answer: Answer) -> bytes:
    """Return the whole body, and close it."""
    try:
        return b"".join(answer.body)
    finally:
        _close(answer.body)


def send(
    start: Callable[..., Any], answer: Answer, body: Iterable[bytes] | None = None, length: int | None = None
) -> Iterable[bytes]:
    """Send an answer, with another body if one is given; its length is announced if it is known."""
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    if length is None:
        length = answer.length
    if length is not None:
        headers.append(("Content-Length", str(length)))
    start(answer.status, headers)
    return answer.body if body is None else body


class _Pieces:
    """The body of an answer, changed on its way; it closes the original."""

    def __init__(self, original: Iterable[bytes], changed: Iterator[bytes]) -> None:
        self._original = original
        self._changed = changed

    def __iter__(self) -> Iterator[bytes]:
        return self._changed

    def close(self) -> None:
        _close(self._original)


def cut(answer: Answer, at_byte: int | None) -> tuple[Iterable[bytes], int | None]:
    """Return a body that ends in its middle, or at a byte, and its length if that is known."""
    if answer.length is not None:
        end = answer.length // 2 if at_byte is None else min(at_byte, answer.length)
        return _Pieces(answer.body, _first(answer.body, end)), end
    return _Pieces(answer.body, _first(answer.body, at_byte)), None


def broken(answer: Answer, at_byte: int | None) -> Iterable[bytes]:
    """Return a body whose connection is reset in its middle, or at a byte."""
    end = at_byte
    if end is None and answer.length is not None:
        end = answer.length // 2

    def pieces() -> Iterator[bytes]:
        yield from _first(answer.body, end)
        raise ConnectionResetError("a fault that was switched on")

    return _Pieces(answer.body, pieces())


def late(answer: Answer, at_byte: int | None, pause: Callable[[], None]) -> Iterable[bytes]:
    """Return a body that pauses in its middle, or at a byte."""
    at = at_byte
    if at is None:
        at = 1 if answer.length is None else answer.length // 2

    def pieces() -> Iterator[bytes]:
        before: int | None = at
        for piece in answer.body:
            if before is not None and before < len(piece):
                yield piece[:before]
                pause()
                yield piece[before:]
                before = None
                continue
            if before is not None:
                before -= len(piece)
            yield piece

    return _Pieces(answer.body, pieces())


def _first(body: Iterable[bytes], end: int | None) -> Iterator[bytes]:
    """Return the first bytes of a body; with None, all but the second half of its last piece."""
    if end is None:
        last = b""
        for piece in body:
            if last:
                yield last
            last = piece
        yield last[: len(last) // 2]
        return
    for piece in body:
        if len(piece) >= end:
            yield piece[:end]
            return
        end -= len(piece)
        yield piece


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def body_of(environ: dict[str, Any]) -> bytes:
    """Return the whole body of a request."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    whole: bytes = stream.read(int(length)) if length else stream.read()
    return whole


def with_body(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Return the same request with a body that was read."""
    changed = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    changed.pop("HTTP_TRANSFER_ENCODING", None)
    return changed
