"""The head of an answer, with the framing of its body (RFC 9112)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["BadHeaders", "Replies", "Reply", "Start", "staying"]

_WITHOUT_BODY = (204, 304)
_CLOSE = "\r\nConnection: close"


class BadHeaders(ValueError):
    """Headers that cannot be sent as they are: what follows them would pass for an answer."""


class Start:
    """What the application calls as ``start_response``."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        """Take status and headers."""
        self.status = status
        self.headers = headers


class _Spellings(dict[str, str]):
    """The names of headers as Orthanc writes them; the application's own ones are few."""

    def __missing__(self, name: str) -> str:
        spelling = self[name] = "-".join(word.capitalize() for word in name.split("-"))
        return spelling


_spellings = _Spellings({"etag": "ETag", "ETag": "ETag", "www-authenticate": "WWW-Authenticate"})
_spellings["WWW-Authenticate"] = "WWW-Authenticate"


def staying(seconds: int) -> str:
    """Return the headers of a connection that stays open for so many seconds; empty for none."""
    return f"\r\nConnection: keep-alive\r\nKeep-Alive: timeout={seconds}" if seconds else ""


class Reply:
    """How one request is answered.

    Parameters
    ----------
    request
        What `HeadReader` made of it.
    staying
        The headers that let the connection stay open for another request; empty to close it.
    """

    def __init__(self, request: Mapping[str, str], start: Start, staying: str) -> None:
        self._status = start.status
        self._headers = start.headers
        self._staying = staying
        self._is_old = request["SERVER_PROTOCOL"] == "HTTP/1.0"
        self.keep_alive = staying != "" and _wants_to_stay(request.get("HTTP_CONNECTION", ""), self._is_old)
        self.has_body = request["REQUEST_METHOD"] != "HEAD" and int(start.status[:3]) not in _WITHOUT_BODY
        self.is_chunked = False
        self.announced: int | None = None  # bytes of a body in pieces
        self._head: bytes | None = None

    def head(self, size: int | None) -> bytes:
        """Return the status line and the headers; the same at each call.

        Parameters
        ----------
        size
            Bytes of the body; None if unknown until its end.

        Raises
        ------
        BadHeaders
            If one of them has a line break or a character of more than a byte.
        """
        if self._head is None:
            self._head = self._written(size)
        return self._head

    def _written(self, size: int | None) -> bytes:
        headers = self._headers
        text = "".join([f"\r\n{_spellings[name]}: {value}" for name, value in headers])
        if text.count("\n") != len(headers) or text.count("\r") != len(headers) or "\0" in text:
            raise BadHeaders(headers)
        if "\r\nContent-Length:" not in text and self.has_body:
            if size is not None:
                text += f"\r\nContent-Length: {size}"
            elif self._is_old:
                self.keep_alive = False  # its end is the end of the connection
            else:
                self.is_chunked = True
                text += "\r\nTransfer-Encoding: chunked"
        elif size is None and self.has_body:
            self.announced = int(next(value for name, value in headers if name.lower() == "content-length"))
        if "\r\nConnection: close" in text:
            self.keep_alive = False
            connection = ""
        elif self.keep_alive:
            connection = self._staying
        else:
            connection = _CLOSE
        try:
            return f"HTTP/1.1 {self._status}{connection}{text}\r\n\r\n".encode("latin-1")
        except UnicodeEncodeError as error:
            raise BadHeaders(headers) from error


class Replies:
    """The answers of one connection; one that has the head of the last one is answered with that."""

    def __init__(self) -> None:
        self._last: tuple[_Likeness, Reply] | None = None

    def reply(self, request: Mapping[str, str], start: Start, staying: str, size: int | None) -> Reply:
        """Return how a request is answered.

        Parameters
        ----------
        request, start, staying
            As of `Reply`.
        size
            Bytes of the body; None if it is sent in pieces.
        """
        if size is None:
            return Reply(request, start, staying)
        asked = request["REQUEST_METHOD"], request["SERVER_PROTOCOL"], request.get("HTTP_CONNECTION")
        likeness = (size, start.status, start.headers, staying, asked)
        if self._last is not None and self._last[0] == likeness:
            return self._last[1]
        reply = Reply(request, start, staying)
        # The application may do with its list what it wants.
        self._last = (size, start.status, list(start.headers), staying, asked), reply
        return reply


_Likeness = tuple[int, str, list[tuple[str, str]], str, tuple[str, str, str | None]]


def _wants_to_stay(asked: str, is_old: bool) -> bool:
    if asked in ("", "keep-alive") and not is_old:  # what nearly all clients send
        return True
    options = [option.strip() for option in asked.lower().split(",")]
    return "close" not in options and (not is_old or "keep-alive" in options)
