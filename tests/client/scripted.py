"""A server on a socket that does what a test tells it, request by request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Act = Callable[[socket.socket], None]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> Act:
    """Answer with a body and close the connection."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return send("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def send(raw: bytes) -> Act:
    """Send these bytes, be they an answer or not, and close the connection."""
    return lambda connection: connection.sendall(raw)


def drop(connection: socket.socket) -> None:
    """Close the connection without a word."""


class Scripted:
    """Plays one act for each connection, the last one again and again; `requests` are the heads it read."""

    def __init__(self, *acts: Act) -> None:
        self._acts = list(acts)
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def silence(self, connection: socket.socket) -> None:
        """Say nothing until the test ends."""
        self._ended.wait(30)

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def play(self, *acts: Act) -> Scripted:
        """Set what comes next."""
        self._acts = list(acts)
        return self

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(10)
                self.requests.append(_read_request(connection))
                act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                act(connection)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass


def _read_request(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    length = next((int(line.split(":")[1]) for line in text.split("\r\n") if line.lower().startswith("content-len")), 0)
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    return text
