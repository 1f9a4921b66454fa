"""The HTTP server: Granian's WSGI worker in a thread of this process.

Granian is usually a parent and workers; a killed parent leaves a worker behind that listens and holds the
index. Here its worker runs inside the one process, through the classes that its command line uses. They are
no public interface: this file alone touches them, and ``tests/server/test_http_server.py`` holds the contract.
"""

from __future__ import annotations

import asyncio
import logging
import random
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from granian import _futures, _granian
from granian.http import HTTP1Settings

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.connections import cut_all, cut_where_sent, written
from orthanc_lab.server.stalled_clients import TimedBody, Watch

__all__ = ["HttpServer", "Tls"]

_log = logging.getLogger("orthanc_lab.http")
_native: Any = _granian  # its own type stubs describe another version
_scheduler: Any = _futures._new_cbscheduler
_BACKLOG = 1024
_MAX_CONNECTIONS = 2048
_OTHER_FILES = 100  # descriptors for everything else: index, files, logs
_THREAD_IDLE_S = 30
_CUT_PATIENCE_S = 10.0
_FRAME = 64  # bytes around a chunk, of HTTP and TLS, at most
_ENVIRONMENT = {
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


@dataclass(frozen=True, slots=True)
class Tls:
    """How connections are encrypted."""

    certificate: Path  # PEM with the private key and the certificate
    minimum: str = "tls1.2"  # or tls1.3
    trusted_clients: Path | None = None  # PEM; a client must show a certificate of one of these


class HttpServer:
    """A WSGI application behind a listening socket.

    Parameters
    ----------
    app
        The WSGI application. An answer that is a list is sent as one; anything else is streamed.
    address, port
        Where to listen; port 0 takes a free one.
    request_timeout
        Seconds without progress after which a client is let go.
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
        app: WSGIApplication,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        request_timeout: float = 30,
        keep_alive: bool = True,
        tls: Tls | None = None,
    ) -> None:
        self._app: Callable[..., Iterable[bytes]] = app
        self._socket = _listen(address, port, request_timeout)
        self.port: int = self._socket.getsockname()[1]
        self._watch = Watch(self.port, request_timeout)
        self._timeout = request_timeout
        self._keep_alive = keep_alive
        self._tls = tls
        self._signal = _native.WorkerSignal()
        self._stopped = threading.Event()
        self._refusing = False
        self._signal.add_cb(self._stopped.set)
        self._thread = threading.Thread(target=self._serve, name="orthanc-lab-http", daemon=True)

    def start(self) -> None:
        """Serve, in a thread; requests that came before wait in the socket."""
        self._thread.start()

    def serve_from_now(self, app: WSGIApplication) -> None:
        """Answer the next requests by another application."""
        self._app = app

    def refuse(self) -> None:
        """Stop listening; requests in work go on to their end."""
        if not self._refusing:
            self._refusing = True
            self._signal.set()  # a second time could block for ever: the worker takes one signal

    def stop(self, timeout: float = 3) -> None:
        """Stop listening; requests in work have `timeout` seconds to end, then their connections are cut."""
        self.refuse()
        self._watch.stop()
        if self._thread.ident is None:
            self._socket.close()
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            cut_all(self.port)
            self._thread.join(timeout)
        self._socket.detach()  # the worker has closed it

    def _serve(self) -> None:
        loop = asyncio.new_event_loop()  # never run: Granian builds its scheduler from it
        try:
            worker = self._worker()
            worker.serve_mtr(_scheduler(loop, self._run, impl_asyncio=True), loop, self._signal)
            self._stopped.wait()
        except Exception:
            _log.exception("The HTTP server has failed")
        finally:
            loop.close()

    def _worker(self) -> Any:
        most = _most_connections()
        tls = self._tls
        certificate = str(tls.certificate) if tls else None
        clients = str(tls.trusted_clients) if tls and tls.trusted_clients else None
        settings = HTTP1Settings(header_read_timeout=int(self._timeout * 1000), keep_alive=self._keep_alive)
        return _native.WSGIWorker(
            1,  # worker id
            (None, _native.SocketHolder(self._socket.fileno(), False, _BACKLOG)),
            None,  # no channel to a parent
            1,  # threads of the Rust runtime
            64,  # its blocking threads
            most,  # Python threads, made on demand: a client that is slow holds one
            _THREAD_IDLE_S,
            most,  # connections at once; more of them wait in the socket
            "1",  # HTTP/1.1
            settings,
            None,  # no HTTP/2
            None,  # no static files
            tls is not None,
            certificate,
            certificate,
            None,  # no password
            tls.minimum if tls else "tls1.2",
            clients,
            [],  # no revocation lists
            clients is not None,
            (None, None),  # no metrics of Granian
        )

    def _run(self, proto: Any, scope: dict[str, Any]) -> int:
        """Answer one request; called by Granian on a Python thread of its own."""
        environ = _ENVIRONMENT | scope
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = TimedBody(environ, proto, self._watch)
        answer = _Start()
        try:
            body = self._app(environ, answer)
        except Exception:
            _log.exception("The application failed outside of its own error answers")
            answer.status, answer.headers, body = 500, [], []
        if type(body) is list:
            proto.response_bytes(answer.status, answer.headers, body[0] if len(body) == 1 else b"".join(body))
        else:
            proto.response_iter(answer.status, answer.headers, _Stream(body, self.port))
        return answer.status


class _Start:
    """What the application calls as ``start_response``."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[str, str]] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        self.status = int(status[:3])
        # A header carries bytes, one in each character (PEP 3333); Granian writes text as UTF-8.
        self.headers = [
            (name, value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace"))
            for name, value in headers
        ]


class _Stream:
    """A body of unknown length, as Granian wants it: ``__next__`` and ``close``.

    Granian ends a body that fails as if it were whole. So that no client takes a part for the whole, a body
    that fails goes on with zeros, each time of an unlikely number, until the connection on which that many
    bytes go out is found and cut.
    """

    __slots__ = ("_body", "_cut", "_next", "_port")

    def __init__(self, body: Iterable[bytes], port: int) -> None:
        self._body = body
        self._next = iter(body).__next__
        self._port = port
        self._cut: Iterator[bytes] | None = None

    def __next__(self) -> bytes:
        if self._cut is not None:
            return next(self._cut)
        try:
            return self._next()
        except StopIteration:
            raise
        except Exception:
            _log.exception("A streamed answer failed; its connection is cut")
            self._cut = self._until_cut()
            return next(self._cut)

    def _until_cut(self) -> Iterator[bytes]:
        deadline = time.monotonic() + _CUT_PATIENCE_S
        while time.monotonic() < deadline:
            number = random.randrange(5000, 16000)
            before = written(self._port)
            yield bytes(number)
            if cut_where_sent(self._port, before, range(number, number + _FRAME)):
                return
        _log.error("The connection of a failed answer was not found; its client may take a part for the whole")

    def close(self) -> None:
        """Release what the body holds; Granian calls this also when the client has left."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _most_connections() -> int:
    """Return how many connections leave enough file descriptors for the rest of the server."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(16, min(_MAX_CONNECTIONS, allowed - _OTHER_FILES))


def _listen(address: str, port: int, timeout: float) -> socket.socket:
    # With another protocol number than TCP's, Granian does not switch Nagle's delay off.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
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
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        raise OrthancError(ErrorCode.HTTP_PORT_IN_USE, f" (port = {port})") from error
    return listener
