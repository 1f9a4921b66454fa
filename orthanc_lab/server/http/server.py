"""The HTTP server: listening sockets, and one thread for each connection.

A thread that waits in a system call costs next to nothing, and a request is answered on the thread that reads
it: nothing is handed over. So a slow client holds a thread and a place, and loses both to others (`places`). Several
clients that send small files are the exception (`batches`).
"""

from __future__ import annotations

import logging
import resource
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orthanc_lab.server.http.acceptor import Acceptor, listen
from orthanc_lab.server.http.batches import Batches
from orthanc_lab.server.http.connection import Application, Connection, Patience, refusal
from orthanc_lab.server.http.places import Places
from orthanc_lab.server.http.wire import Wire

__all__ = ["HttpServer", "Tls"]

_log = logging.getLogger("orthanc_lab.http")
_MAX_CONNECTIONS = 2048
_OTHER_FILES = 100  # descriptors for everything else: index, files, logs
_LONGEST_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are encrypted."""

    certificate: Path  # PEM with the private key and the certificate
    minimum: str = "tls1.2"  # or tls1.3
    trusted_clients: Path | None = None  # PEM; a client must show a certificate of one of these
    ciphers: str = ""  # up to TLS 1.2, as OpenSSL lists them; "" = its choice


class HttpServer:
    """A WSGI application behind listening sockets.

    Parameters
    ----------
    app
        The WSGI application. An answer that is a list is sent as one; anything else is streamed.
    addresses, port
        Where to listen, IPv4 or IPv6; port 0 takes a free one, the same for all addresses.
    request_timeout
        Seconds for the first byte of a connection and for the head of a request, and without progress in a body.
    keep_alive
        Seconds for which a connection stays open for another request; 0 for one request a connection.
    connections_of_address
        Most connections of one client address; 0 for no such limit.
    no_delay
        Whether small answers are sent at once.
    tls
        Encryption, if wanted.

    Raises
    ------
    OrthancError
        2003 if the port is in use or not allowed, or an address is none of this machine's.
    """

    def __init__(
        self,
        app: Application,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int = 0,
        request_timeout: float = 30,
        keep_alive: int = 1,
        connections_of_address: int = 0,
        no_delay: bool = True,
        tls: Tls | None = None,
    ) -> None:
        self._app = app
        self._patience = patience = Patience(request_timeout, int(keep_alive))
        self._interval = min(patience.request, patience.between, _LONGEST_INTERVAL_S)
        self._tls = None if tls is None else _context(tls)
        self._sockets = _listen(addresses, port, request_timeout, no_delay)
        self.port: int = self._sockets[0].getsockname()[1]
        self._host = _host(self.port, secure=tls is not None)
        most = _most_connections()
        # Some places are left for others, whatever one client does.
        self._places = Places(most, min(connections_of_address, most - most // 4))
        self._batches = Batches(lambda: self._app)
        self._acceptors = [Acceptor(one, self._serve, self._places.make_room) for one in self._sockets]

    def start(self) -> None:
        """Serve, in threads; requests that came before wait in the sockets.

        Raises
        ------
        RuntimeError
            If the system has no thread left; `stop` releases the port.
        """
        for acceptor in self._acceptors:
            acceptor.start()

    def serve_from_now(self, app: Application) -> None:
        """Answer the next requests by another application."""
        self._app = app

    def refuse(self) -> None:
        """Stop listening; requests in progress continue to their end."""
        for acceptor in self._acceptors:
            acceptor.refuse()
        for connection in self._places.close():
            connection.finish()

    def stop(self, timeout: float = 3) -> None:
        """Stop listening; requests in progress have `timeout` seconds to end, then their connections are cut."""
        self.refuse()
        end = time.monotonic() + timeout
        for connection in self._places.wait_until_empty(timeout):
            connection.cut()
        self._places.wait_until_empty(timeout)
        self._batches.close()
        for acceptor in self._acceptors:
            acceptor.close(max(0, end - time.monotonic()))

    def _serve(self, client: socket.socket, address: str, go_on: Callable[[], None]) -> None:
        wire = Wire(client, self._patience.request, self._interval)
        connection = Connection(wire, {**self._host, "REMOTE_ADDR": address}, self._patience)
        try:
            has_place = self._places.take(connection, address)
        finally:
            go_on()
        if not has_place:
            self._turn_away(wire)
            return
        try:
            if self._tls is None or _encrypted(wire, self._tls):
                connection.serve(lambda: self._app, self._batches)
        finally:
            self._batches.forget(connection)
            wire.close()
            self._places.give_back(connection)

    def _turn_away(self, wire: Wire) -> None:
        if self._tls is None:
            with suppress(OSError):
                wire.send(refusal(503))
        wire.close()


def _encrypted(wire: Wire, tls: ssl.SSLContext) -> bool:
    try:
        wire.encrypt(tls)
    except OSError as error:
        _log.info("TLS handshake failed: %s", error)
        return False
    return True


def _host(port: int, *, secure: bool) -> dict[str, Any]:
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": str(port),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.version": (1, 0),
    }


def _listen(addresses: Sequence[str], port: int, timeout: float, no_delay: bool) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            listener = listen(address, port, timeout, no_delay=no_delay)
            sockets.append(listener)
            port = listener.getsockname()[1]
    except BaseException:
        for listener in sockets:
            listener.close()
        raise
    return sockets


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls.minimum == "tls1.3" else ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate)
    if tls.ciphers:
        context.set_ciphers(tls.ciphers)
    if tls.trusted_clients is not None:
        context.load_verify_locations(tls.trusted_clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _most_connections() -> int:
    """Return how many connections leave enough file descriptors for the rest of the server.

    Each may need a second one: for the file that it downloads.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(16, min(_MAX_CONNECTIONS, (allowed - _OTHER_FILES) // 2))
