"""An Orthanc peer that can hold back its responses, so that a job runs as long as a test or a lesson needs."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

__all__ = ["HoldingPeer"]

_LONGEST_HOLD = 60.0


class HoldingPeer:
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
        self.seen: list[str] = []
        self._permits: int | None = None  # number of uploads that may be answered, None for all
        self._held = 0
        self._change = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

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

    def hold(self) -> None:
        """From now on, hold all uploads."""
        self._set(0)

    def let_go(self) -> None:
        """Answer the held uploads and all further ones."""
        self._set(None)

    def let_through(self, count: int = 1) -> None:
        """Answer exactly `count` uploads, held or new, and hold the rest."""
        self._set(count)

    def _set(self, permits: int | None) -> None:
        with self._change:
            self._permits = permits
            self._change.notify_all()

    def wait_until_held(self, count: int = 1) -> None:
        """Wait until at least `count` uploads are held, and none may be answered.

        Raises
        ------
        TimeoutError
            If they do not arrive within a minute.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._permits == 0 and self._held >= count, _LONGEST_HOLD):
                raise TimeoutError(f"Only {self._held} of {count} uploads are held after {_LONGEST_HOLD:g} s")

    def wait_for_permit(self) -> None:
        """Hold an upload, for at most a minute, until it may be answered."""
        with self._change:
            self._held += 1
            self._change.notify_all()
            if self._change.wait_for(lambda: self._permits != 0, _LONGEST_HOLD) and self._permits is not None:
                self._permits -= 1
            self._held -= 1
            self._change.notify_all()


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
