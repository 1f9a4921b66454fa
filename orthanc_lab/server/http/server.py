"""The HTTP server: a listening socket, and one thread for each connection.

A thread that waits in a system call costs next to nothing, and a request is answered on the thread that reads
it: nothing is handed over. So a slow client holds a thread and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import resource
import socket
import ssl
import struct
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.http.connection import Application, Connection

__all__ = ["HttpServer", "Tls"]

_log = logging.getLogger("orthanc_lab.http")
_BACKLOG = 1024
_MAX_CONNECTIONS = 2048
_OTHER_FILES = 100  # descriptors for everything else: index, files, logs
_SPARE = 4  # threads that wait for a connection, at most
_PAUSE_S = 0.1  # after a connection could not be accepted
_TIME = struct.Struct("ll")  # struct timeval


@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are encrypted."""

    certificate: Path  # PEM with the private key and the certificate
    minimum: str = "tls1.2"  # or tls1.3
    trusted_clients: Path | None = None  # PEM; a client must show a certificate of one of these
    ciphers: str = ""  # up to TLS 1.2, as OpenSSL lists them; "" = its choice


class HttpServer:
    """A WSGI application behind a listening socket.

    Parameters
    ----------
    app
        The WSGI application. An answer that is a list is sent as one; anything else is streamed.
    address, port
        Where to listen; port 0 takes a free one.
    request_timeout
        Seconds without progress after which a client is disconnected.
    keep_alive
        Whether a connection stays open for further requests.
    tls
        Encryption, if wanted.

    Raises
    ------
    OrthancError
        2003 if the port is in use or not allowed.
    """

    def __init__(
        self,
        app: Application,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        request_timeout: float = 30,
        keep_alive: bool = True,
        tls: Tls | None = None,
    ) -> None:
        self._app = app
        self._timeout = request_timeout
        self._keep_alive = keep_alive
        self._tls = None if tls is None else _context(tls)
        self._socket = _listen(address, port, request_timeout)
        self.port: int = self._socket.getsockname()[1]
        self._host = _host(self.port, secure=tls is not None)
        self._most = _most_connections()
        self._refusing = False
        self._changed = threading.Condition()  # guards the two below
        self._waiting = 0  # threads that wait for a connection
        self._connections: set[Connection] = set()

    def start(self) -> None:
        """Serve, in threads; requests that came before wait in the socket."""
        with self._changed:
            self._wait_in_another_thread()

    def serve_from_now(self, app: Application) -> None:
        """Answer the next requests by another application."""
        self._app = app

    def refuse(self) -> None:
        """Stop listening; requests in progress continue to their end."""
        self._refusing = True
        with contextlib.suppress(OSError):  # it wakes the threads that wait, where the system allows it
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._changed:
            for connection in self._connections:
                connection.finish()

    def stop(self, timeout: float = 3) -> None:
        """Stop listening; requests in progress have `timeout` seconds to end, then their connections are cut."""
        self.refuse()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections and not self._waiting, timeout):
                for connection in self._connections:
                    connection.cut()
                self._changed.wait_for(lambda: not self._connections, timeout)
        self._socket.close()

    # -- threads -------------------------------------------------------------------

    def _wait_in_another_thread(self) -> None:
        self._waiting += 1
        thread = threading.Thread(target=self._work, name="orthanc-lab-http", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left: the present ones go on
            self._waiting -= 1
            _log.warning("No further thread can be started for the HTTP server")

    def _work(self) -> None:
        """Accept connections and serve them, until enough other threads wait for one."""
        while (accepted := self._accept()) is not None:
            client, address = accepted
            try:
                self._serve(client, address)
            except Exception:
                _log.exception("A connection failed")
            with self._changed:
                if self._waiting >= _SPARE or self._refusing:
                    return
                self._waiting += 1

    def _accept(self) -> tuple[socket.socket, str] | None:
        while not self._refusing:
            try:
                client, address = self._socket.accept()
            except OSError as error:
                if self._refusing:
                    break
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    time.sleep(_PAUSE_S)  # until a connection is closed
                continue
            with self._changed:
                self._waiting -= 1
                # With too many connections, the next ones wait in the socket.
                if not self._waiting and len(self._connections) < self._most - 1:
                    self._wait_in_another_thread()
            return client, address[0]
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()
        return None

    def _serve(self, client: socket.socket, address: str) -> None:
        with client:
            encrypted = self._encrypted(client)
            if encrypted is None:
                return
            host = {**self._host, "REMOTE_ADDR": address}
            connection = Connection(encrypted, host, self._timeout, keep_alive=self._keep_alive)
            with self._changed:
                self._connections.add(connection)
                if self._refusing:
                    connection.finish()
            try:
                connection.serve(lambda: self._app)
            finally:
                connection.close()
                with self._changed:
                    self._connections.discard(connection)
                    self._changed.notify_all()

    def _encrypted(self, client: socket.socket) -> socket.socket | None:
        """Return the socket to use; None if the TLS handshake failed."""
        if self._tls is None:
            limit = _TIME.pack(int(self._timeout), int(self._timeout % 1 * 1_000_000))
            # Not `settimeout`: that costs a system call more for each one that reads or writes.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            return client
        client.settimeout(self._timeout)
        try:
            return self._tls.wrap_socket(client, server_side=True)
        except OSError as error:
            _log.info("TLS handshake failed: %s", error)
            return None


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
    """Return how many connections leave enough file descriptors for the rest of the server."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(16, min(_MAX_CONNECTIONS, allowed - _OTHER_FILES))


def _listen(address: str, port: int, timeout: float) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":  # accepted sockets inherit all of these
            seconds = max(1, int(timeout))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // 3))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout * 1000))
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise OrthancError(ErrorCode.HTTP_PORT_IN_USE, f" (port = {port})") from error
    return listener
