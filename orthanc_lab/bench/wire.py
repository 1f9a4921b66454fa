"""A client thin enough to measure a server: sends prepared bytes, reads and drops the responses."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["Wire", "http_request", "send_all"]

_CHUNK = 1 << 20


def http_request(method: str, path: str, body: bytes = b"") -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Wire:
    """One kept-alive connection to a server on this machine.

    Parameters
    ----------
    port
        TCP port on the loopback address.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, request: bytes, *, keep: bool = False) -> tuple[int, int, bytes]:
        """Send a request and read its response to the end.

        Returns
        -------
        tuple
            Status, length of the body in bytes, and the body itself if `keep`.
        """
        fresh = self._socket is None
        try:
            return self._exchange(request, keep)
        except (ConnectionError, EOFError):
            self.close()
            if fresh:
                raise
        return self._exchange(request, keep)  # the server had closed an idle connection

    def _exchange(self, request: bytes, keep: bool) -> tuple[int, int, bytes]:
        connection = self._connected()
        connection.sendall(request)
        head, rest = b"", b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(_CHUNK)
            if not part:
                raise EOFError("The connection was closed before a response")
            head += part
        head, rest = head.split(b"\r\n\r\n", 1)
        status = int(head[9:12])
        fields = head.lower()
        body = [rest]
        length = len(rest)
        at = fields.find(b"content-length:")
        if at >= 0:
            wanted = int(fields[at + 15 :].split(b"\r\n", 1)[0])
            length = self._read(connection, body, length, wanted, keep)
        elif b"transfer-encoding: chunked" in fields:
            length = self._read_chunked(connection, body)
        else:
            length = self._read(connection, body, length, None, keep)
            self.close()
        if b"connection: close" in fields:
            self.close()
        return status, length, b"".join(body) if keep else b""

    @staticmethod
    def _read(connection: socket.socket, body: list[bytes], length: int, wanted: int | None, keep: bool) -> int:
        while wanted is None or length < wanted:
            part = connection.recv(_CHUNK)
            if not part:
                if wanted is None:
                    break
                raise EOFError(f"The response ended after {length} of {wanted} bytes")
            length += len(part)
            if keep:
                body.append(part)
        return length

    @staticmethod
    def _read_chunked(connection: socket.socket, body: list[bytes]) -> int:
        rest, body[:] = body[0], []
        total = 0

        def more() -> bytes:
            part = connection.recv(_CHUNK)
            if not part:
                raise EOFError(f"The response was cut off after {total} bytes")
            return part

        while True:
            while b"\r\n" not in rest:
                rest += more()
            line, rest = rest.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            parts, have = [rest], len(rest)
            while have < size + 2:
                part = more()
                parts.append(part)
                have += len(part)
            rest = b"".join(parts)
            if not size:
                return total
            body.append(rest[:size])
            rest = rest[size + 2 :]
            total += size

    def get_json(self, path: str) -> Any:
        """GET a path and return its JSON."""
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = b"") -> Any:
        """Send one request outside the measured time and return its JSON; RuntimeError for an error."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, _, answer = self.send(http_request(method, path, content), keep=True)
        if status != 200:
            raise RuntimeError(f"{method} {path} was answered with {status}: {answer.decode(errors='replace')}")
        return json.loads(answer) if answer.strip() else None


def send_all(port: int, requests: Sequence[bytes], clients: int = 1) -> None:
    """Send all requests over `clients` parallel connections; RuntimeError for any status but 200."""

    def run(part: Sequence[bytes]) -> None:
        wire = Wire(port)
        for request in part:
            status, _, _ = wire.send(request)
            if status != 200:
                raise RuntimeError(f"{request[:60]!r} to port {port} was answered with {status}")
        wire.close()

    if clients == 1:
        run(requests)
        return
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(run, [requests[index::clients] for index in range(clients)]))
