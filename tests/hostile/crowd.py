"""Three hundred clients of one thread that hold what they can hold, and come again when they are put out."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from dataclasses import dataclass

__all__ = ["Crowd", "Kind", "kinds"]

_TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class Kind:
    """What a client does: first it sends something, and then again and again a little more."""

    first: bytes = b""
    more: bytes = b""  # once a second
    leaves_half: bool = False  # sends nothing further, and says so
    receive_buffer: int = 0  # of a client that does not read
    handshake: bool = True  # with TLS: whether the handshake is made


def kinds(path: str, headers: str) -> dict[str, Kind]:
    """Return all kinds, by name.

    Parameters
    ----------
    path
        Of something long.
    headers
        Further lines of each head: credentials.
    """
    end = f"Host: localhost\r\n{headers}"
    upload = f"POST /instances HTTP/1.1\r\n{end}"
    ahead = f"GET /system HTTP/1.1\r\n{end}\r\n".encode() * 2000
    download = f"GET {path} HTTP/1.1\r\n{end}\r\n".encode() * 20
    return {
        "silent": Kind(),
        "silent handshake": Kind(handshake=False),
        "slow head": Kind(b"GET /system HTTP/1.1\r\nX", b"x"),
        "blank lines": Kind(b"\r\n", b"\r\n"),
        "slow body": Kind(f"{upload}Content-Length: 100000\r\n\r\n".encode(), b"x"),
        "slow chunks": Kind(f"{upload}Transfer-Encoding: chunked\r\n\r\n".encode(), b"1\r\nx\r\n"),
        "slow chunk size": Kind(f"{upload}Transfer-Encoding: chunked\r\n\r\n".encode(), b"0"),
        "refused body": Kind(b"POST /system HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"x"),
        "refused request": Kind(b"hello\r\n\r\n", b"x"),
        "half closed": Kind(f"{upload}Content-Length: 100000\r\n\r\nhalf".encode(), leaves_half=True),
        "half closed reader": Kind(download, leaves_half=True, receive_buffer=4096),
        "reader": Kind(download, receive_buffer=4096),
        "asks ahead": Kind(ahead, ahead, receive_buffer=4096),
    }


class Crowd:
    """Clients of the given kinds, in turn, for the duration of a ``with`` block.

    Parameters
    ----------
    tls
        How they encrypt; None for plain HTTP.
    """

    def __init__(self, port: int, kinds: list[Kind], number: int, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._tls = tls
        self._selector = selectors.DefaultSelector()
        self._clients = [_Client(kinds[place % len(kinds)], self._selector) for place in range(number)]
        self._ended = threading.Event()
        self._all_came = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Crowd:
        self._thread.start()
        assert self._all_came.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for client in self._clients:
            client.leave()
        self._selector.close()

    @property
    def visits(self) -> int:
        """How many connections were made."""
        return sum(client.visits for client in self._clients)

    def _run(self) -> None:
        while not self._ended.is_set():
            now = time.monotonic()
            for client in self._clients:
                if client.is_away:
                    client.come(self._port, self._tls)
                client.send_more(now)
            self._all_came.set()
            for key, _ in self._selector.select(_TICK_S):
                key.data.look()


class _Client:
    def __init__(self, kind: Kind, selector: selectors.BaseSelector) -> None:
        self._kind = kind
        self._selector = selector
        self._socket: socket.socket | None = None
        self._is_ready = False  # with TLS: after the handshake
        self._next = 0.0
        self.visits = 0

    @property
    def is_away(self) -> bool:
        return self._socket is None

    def come(self, port: int, tls: ssl.SSLContext | None) -> None:
        client = socket.socket()
        if self._kind.receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._kind.receive_buffer)
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(("127.0.0.1", port))
        self.visits += 1
        self._socket, self._is_ready = client, tls is None
        if tls is not None and self._kind.handshake:
            self._socket = tls.wrap_socket(client, do_handshake_on_connect=False)
        self._next = 0.0
        self._selector.register(self._socket, selectors.EVENT_READ, self)

    def send_more(self, now: float) -> None:
        """Take the next step, if it is time for one: the handshake, the first bytes, a little more."""
        if self._socket is None or now < self._next:
            return
        try:
            if not self._is_ready and not self._shake_hands():
                return
            if self._next == 0.0:
                self._socket.sendall(self._kind.first)
                if self._kind.leaves_half:
                    socket.socket.shutdown(self._socket, socket.SHUT_WR)
            elif self._kind.more and not self._kind.leaves_half:
                self._socket.sendall(self._kind.more)
            self._next = now + 1
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # not connected yet, or nobody reads
        except OSError:
            self.leave()

    def _shake_hands(self) -> bool:
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.do_handshake()
            self._is_ready = True
        return self._is_ready

    def look(self) -> None:
        """Read what came, unless this client does not read."""
        assert self._socket is not None
        try:
            if not self._is_ready and isinstance(self._socket, ssl.SSLSocket):
                return  # `send_more` goes on with the handshake
            if self._kind.receive_buffer:
                self._selector.unregister(self._socket)  # it would be looked at all the time
                return
            if not self._socket.recv(65536):
                self.leave()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.leave()

    def leave(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
