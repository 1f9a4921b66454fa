"""A peer of Orthanc that can be told not to answer: makes a job run as long as a test wants."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

__all__ = ["HoldingPeer"]

_LONGEST_HOLD = 60.0


class HoldingPeer:
    """A small HTTP server with ``GET /system`` and ``POST /instances``, as a peer has them.

    Attributes
    ----------
    seen
        What it has received: ``"POST /instances application/dicom 1234 bytes"`` …
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._open = threading.Event()
        self._open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> HoldingPeer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()

    def hold(self) -> None:
        """From now on answer no upload."""
        self._open.clear()

    def let_go(self) -> None:
        """Answer the uploads that wait and those that come."""
        self._open.set()

    def wait_until_open(self) -> None:
        """Block while the peer is held (at most a minute)."""
        self._open.wait(_LONGEST_HOLD)


def _handler(peer: HoldingPeer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peer.seen.append(f"GET {self.path}")
            self._answer(200, {"Name": "peer", "Version": "1.12.7", "ApiVersion": 27})

        def do_POST(self) -> None:
            body = self._body()
            encoding = self.headers.get("Content-Encoding", "")
            content = gzip.decompress(body) if encoding == "gzip" else body
            peer.seen.append(
                f"POST {self.path} {self.headers.get('Content-Type')} {encoding} {self._user()} {len(content)} bytes"
            )
            peer.wait_until_open()
            if self.path.startswith("/broken"):
                self._answer(500, {})
            else:
                self._answer(200, {"ID": "from-the-peer", "Path": "/instances/from-the-peer", "Status": "Success"})

        def _user(self) -> str:
            return self.headers.get("Authorization", "(no user)")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(self, status: int, value: object) -> None:
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            try:
                self.wfile.write(text)
            except ConnectionError:
                self.close_connection = True  # the server gave up: it was killed, or its job canceled

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
