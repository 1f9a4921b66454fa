"""The head of a request (RFC 9112): from its bytes to the environment of a WSGI application."""

from __future__ import annotations

import re

from orthanc_lab.protocol.paths import decoded

__all__ = ["BadRequest", "HeadReader", "check_trailer"]

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a word of RFC 9110
_REQUEST = re.compile(rf"({_TOKEN}) ([^\0-\x20\x7f]+) (HTTP/1\.[01])")
_NAME = re.compile(_TOKEN)
_CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_OWN_KEYS = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}
_IGNORED = ""
_ONCE = ("HTTP_HOST", "CONTENT_LENGTH")  # of two, a proxy and this server could each take another one
_FRAMING = ("content-length", "transfer-encoding")
_MOST_KEYS = 256
_LONGEST_KEY = 64  # letters of a name that is kept
_MOST_HEADERS = 200
_LONGEST_BODY = 2**64  # bytes
_MOST_DIGITS = 20  # of its length

_keys: dict[str, str] = {}  # the name of a header as it came -> its key, for the names seen first


class BadRequest(Exception):
    """The bytes are not a request; the answer has this status."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class HeadReader:
    r"""Reads the heads of one connection: a client sends the same headers with each of its requests.

    Examples
    --------
    >>> HeadReader().read(b"GET /a%20b?c HTTP/1.1\r\nHost: here")["PATH_INFO"]
    '/a b'
    """

    def __init__(self) -> None:
        self._last: tuple[bytes, dict[str, str]] = (b"", {})

    def read(self, head: bytes) -> dict[str, str]:
        """Read a request line and its headers.

        Parameters
        ----------
        head
            All before the blank line.

        Returns
        -------
        dict
            The request as PEP 3333 describes it: bytes as Latin-1 text, the path decoded.

        Raises
        ------
        BadRequest
            If it is not well formed, or if it is not clear where its body ends.
        """
        line = head.partition(b"\r\n")[0]
        environ = _read_request(line)
        lines = head[len(line) :]
        known, headers = self._last
        if known != lines:
            headers = _read_headers(lines)
            self._last = (lines, headers)
        environ.update(headers)
        _check_framing(environ)
        return environ


def _read_request(line: bytes) -> dict[str, str]:
    request = _REQUEST.fullmatch(line.decode("latin-1"))
    if request is None:
        raise BadRequest
    method, target, protocol = request.groups()
    path, _, query = _origin_form(method, target).partition("#")[0].partition("?")
    return {
        "REQUEST_METHOD": method,
        "REQUEST_URI": target,  # as it came, for a proxy
        "PATH_INFO": decoded(path),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": protocol,
    }


def _read_headers(text: bytes) -> dict[str, str]:
    """Read headers, each with a line break before it."""
    headers: dict[str, str] = {}
    lines = text.decode("latin-1").split("\r\n")[1:]
    if len(lines) > _MOST_HEADERS:
        raise BadRequest
    for line in lines:
        name, colon, value = line.partition(":")
        key = _keys.get(name)
        if key is None:
            key = _key(name)
        value = value.strip(" \t")
        if not colon or (not value.isprintable() and _CONTROL.search(value)):
            raise BadRequest
        if key in headers:
            value = _joined(key, headers[key], value)
        if key is not _IGNORED:
            headers[key] = value
    return headers


def check_trailer(line: bytes) -> None:
    """Check a header that follows a body in chunks; it is not used.

    Raises
    ------
    BadRequest
        If it is not well formed, or would have said where the body ends.
    """
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not _NAME.fullmatch(name) or _CONTROL.search(value) or name.lower() in _FRAMING:
        raise BadRequest


def _origin_form(method: str, target: str) -> str:
    """Return path and query of a target, which may also be that of a request to a proxy."""
    if target.startswith("/") or target == "*" or method == "CONNECT":
        return target
    authority = _ABSOLUTE.match(target)
    if authority is None:
        raise BadRequest
    rest = target[authority.end() :]
    return rest if rest.startswith("/") else f"/{rest}"


def _key(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest
    lower = name.lower()
    key = _OWN_KEYS.get(lower) or "HTTP_" + lower.upper().replace("-", "_")
    if "_" in name:  # it could pass for another header, spelt with a hyphen
        key = _IGNORED
    if len(_keys) < _MOST_KEYS and len(name) <= _LONGEST_KEY:
        _keys[name] = key
    return key


def _joined(key: str, before: str, value: str) -> str:
    if key in _ONCE:
        raise BadRequest
    return f"{before}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"


def _check_framing(environ: dict[str, str]) -> None:
    length, coding = environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING")
    if length is not None and length != "0" and not _is_length(length):
        raise BadRequest
    if coding is not None and (
        coding.lower() != "chunked" or length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    ):
        raise BadRequest


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) < _LONGEST_BODY
