"""An Orthanc peer that can hold back its responses, so that a job runs as long as a test or a lesson needs."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from orthanc_lab.testing.gate import Gate

__all__ = ["HoldingPeer"]


class HoldingPeer(Gate):
    """A small HTTP server with a peer's ``GET /system`` and ``POST /instances``.

    Attributes
    ----------
    url
        Its address, to be registered with ``PUT /peers/{name}``.
    seen
        The requests it has received: ``"POST /instances application/dicom 1234 bytes"`` …

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> with orthanc_lab.serve() as server, HoldingPeer() as peer:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("mr"))  # 12 instances
    ...     _ = client.transport.send("PUT", "/peers/slow", json={"Url": peer.url})
    ...     peer.hold()
    ...     job = client.jobs.submit("/peers/slow/store", {"Resources": [study.id for study in client.studies]})
    ...     peer.let_through(3)
    ...     peer.wait_until_held()  # three have been answered, the fourth is held
    ...     print(job.refresh().progress, "%")
    ...     peer.let_go()
    ...     print(job.wait().progress, "%")
    25 %
    100 %
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __repr__(self) -> str:
        return f"<HoldingPeer at {self.url}>"

    def start(self) -> HoldingPeer:
        """Serve in a thread until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer the held uploads, and stop."""
        self.let_go()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> HoldingPeer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


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
            peer.wait_for_permit()
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
                self.close_connection = True  # the server was killed, or canceled its job

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    return Handler
