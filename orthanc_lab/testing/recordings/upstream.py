"""The server behind a recording proxy: one request, passed on as it came, and its answer."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from orthanc_lab.protocol.arguments import check_text

__all__ = ["Upstream", "UpstreamAnswer"]

_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "expect", "content-length"}
)
"""Headers of one connection (RFC 9110 section 7.6.1), and the framing, which each connection has of its own."""


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """The head of an answer; its body is read afterwards."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    chunked: bool
    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    def pieces(self, most: int) -> Iterator[bytes]:
        """Yield the bytes of the body.

        Raises
        ------
        OSError, http.client.HTTPException
            If it breaks off.
        """
        while piece := self.response.read1(most):
            yield piece
        if self.response.length:  # `read1` takes the end of the connection for the end of the body
            raise http.client.IncompleteRead(b"", self.response.length)

    def close(self) -> None:
        """Close the connection."""
        self.response.close()
        self.connection.close()


class Upstream:
    """A server that requests are passed on to.

    Parameters
    ----------
    url
        Its address; a name and a password in it go with each request that has none of its own.
    timeout
        Seconds without a byte after which it counts as failed.
    verify
        Whether its certificate must be valid.

    Raises
    ------
    TypeError, ValueError
        If the address is none of HTTP.
    """

    def __init__(self, url: str, *, timeout: float = 600, verify: bool = True) -> None:
        check_text(url, "the address of a server, such as http://localhost:8042")
        parts = urlsplit(url)
        try:
            is_address = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is none
            is_address = False
        if not is_address:
            raise ValueError(f"{url!r} is not the address of a server, such as http://localhost:8042")
        assert parts.hostname is not None
        self.url = f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}{parts.path.rstrip('/')}"
        """The address, without credentials."""
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._tls = _context(verify) if parts.scheme == "https" else None
        self._authorization = ""
        if parts.username is not None:
            words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._authorization = f"Basic {base64.b64encode(words.encode()).decode()}"

    def send(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: Iterable[bytes] | None, size: str
    ) -> UpstreamAnswer:
        """Send a request, and return the head of the answer.

        Parameters
        ----------
        body
            Its pieces; None for a request without a body.
        size
            Its Content-Length, "" if it is sent in chunks.

        Returns
        -------
        UpstreamAnswer
            Status and headers; the body is still to be read.

        Raises
        ------
        OSError, http.client.HTTPException
            If there is no answer.
        """
        connection = self._connection()
        try:
            self._put_head(connection, f"{method} {target}", headers, size if body is not None else None)
            try:
                for piece in body or ():
                    connection.send(piece if size else b"%x\r\n%b\r\n" % (len(piece), piece))
                if body is not None and not size:
                    connection.send(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                for _ in body or ():  # the server has answered without reading the whole body
                    pass
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        return UpstreamAnswer(
            response.status,
            response.reason,
            [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP - {"content-length"}],
            bool(response.chunked),
            response,
            connection,
        )

    def _put_head(
        self,
        connection: http.client.HTTPConnection,
        line: str,
        headers: Iterable[tuple[str, str]],
        size: str | None,
    ) -> None:
        method, _, target = line.partition(" ")
        connection.putrequest(method, self._prefix + target, skip_host=True, skip_accept_encoding=True)
        authorized = False
        for name, value in headers:
            if name.lower() not in _HOP:
                connection.putheader(name, value.encode("latin-1"))
                authorized = authorized or name.lower() == "authorization"
        if self._authorization and not authorized:
            connection.putheader("Authorization", self._authorization)
        if size is not None:
            connection.putheader(*(("Content-Length", size) if size else ("Transfer-Encoding", "chunked")))
        connection.putheader("Connection", "close")
        connection.endheaders()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return _Verbatim(self._host, self._port, timeout=self._timeout)
        return _VerbatimTls(self._host, self._port, timeout=self._timeout, context=self._tls)


_PORTS = {"http": 80, "https": 443}


class _Verbatim(http.client.HTTPConnection):
    """Sends targets as they are: the server is to see what the client wrote."""

    def _validate_path(self, url: str) -> None:
        """Accept any target that came in a request line, which has no blanks."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class _VerbatimTls(http.client.HTTPSConnection, _Verbatim):
    """The same, encrypted."""


def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
