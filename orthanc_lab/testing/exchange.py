"""One HTTP exchange, sent and read without any normalisation.

Clients such as requests normalise paths, add headers and follow redirects. To compare
two servers byte by byte, an exchange is written to the socket exactly as given.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Answer", "Exchange", "excerpt", "send"]

_PART = 1 << 18


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as sent over the wire."""

    method: str
    path: str  # target of the request line with its query, already percent-encoded
    body: bytes | None = None  # None: no Content-Length either
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.body:
            lines.append(excerpt(self.body))
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as received over the wire."""

    status: int  # 0: the connection was closed without an answer
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    complete: bool = True  # False: the connection was closed before Content-Length was reached

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def __str__(self) -> str:
        lines = [f"HTTP {self.status}{'' if self.complete else ' (cut short)'}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\n".join([*lines, "", excerpt(self.body)])


def excerpt(body: bytes, limit: int = 1500) -> str:
    """Return a body as text for a failure message."""
    try:
        text = body[:limit].decode()
    except UnicodeDecodeError:
        text = repr(body[:80])
    return text + (f" … ({len(body)} bytes)" if len(body) > limit else "")


def send(
    url: str,
    exchange: Exchange,
    *,
    timeout: float = 30,
    longest: float = 600,
    largest: int = 1 << 30,
    verify: bool = False,
) -> Answer:
    """Send one exchange over a new connection.

    Parameters
    ----------
    url
        Address of the server, such as ``http://127.0.0.1:8042``; a path in it comes before that of the exchange.
    exchange
        The request.
    timeout
        Seconds without a byte after which `TimeoutError` is raised.
    longest, largest
        Seconds and bytes after which an answer is cut short.
    verify
        Whether the certificate of the server has to be valid.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with socket.create_connection((parts.hostname, port), timeout=timeout) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _secured(plain, parts.hostname, verify) if parts.scheme == "https" else plain
        # The server may answer and close without reading the whole body.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(_request_bytes(exchange, parts.netloc, parts.path.rstrip("/")))
        return _read_answer(connection, exchange.method, time.monotonic() + longest, largest)


def _secured(plain: socket.socket, host: str, verify: bool) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=host)


def _request_bytes(exchange: Exchange, host: str, prefix: str) -> bytes:
    headers = {"Host": host, "Accept": "*/*", **exchange.headers}
    if exchange.body is not None:
        headers.setdefault("Content-Length", str(len(exchange.body)))
    head = f"{exchange.method} {prefix}{exchange.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("utf-8") + b"\r\n" + (exchange.body or b"")


def _read_answer(connection: socket.socket, method: str, end: float, largest: int) -> Answer:
    response = http.client.HTTPResponse(connection, method=method)
    body = bytearray()
    complete = True
    try:
        response.begin()
        while part := response.read(_PART):
            body += part
            if len(body) > largest or time.monotonic() > end:
                complete = False
                break
        complete = complete and not response.length
    except http.client.IncompleteRead as error:
        body += error.partial
        complete = False
    except (http.client.HTTPException, ConnectionError):
        return Answer(0, {}, b"", complete=False)
    finally:
        response.close()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        # Both servers send headers in UTF-8, but http.client decodes them as Latin-1.
        text = value.encode("latin-1").decode("utf-8", "replace")
        headers[name.lower()] = f"{headers[name.lower()]}, {text}" if name.lower() in headers else text
    return Answer(response.status, headers, bytes(body), complete)
