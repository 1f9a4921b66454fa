"""A peer of Orthanc that can be told not to answer: makes a job run as long as a test or a lesson wants."""

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
    url
        Its address, to be registered with ``PUT /peers/{name}``.
    seen
        What it has received: ``"POST /instances application/dicom 1234 bytes"`` …

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
    ...     peer.wait_until_held()  # the fourth is at the door: three are through
    ...     print(job.refresh().progress, "%")
    ...     peer.let_go()
    ...     print(job.wait().progress, "%")
    25 %
    100 %
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._permits: int | None = None  # uploads that may be answered, None for all
        self._held = 0
        self._change = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> HoldingPeer:
        """Serve, in a thread, until `stop`."""
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer what waits, and end."""
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
        """From now on answer no upload."""
        self._set(0)

    def let_go(self) -> None:
        """Answer the uploads that wait and those that come."""
        self._set(None)

    def let_through(self, count: int = 1) -> None:
        """Answer so many uploads, those that wait and those that come, and no more."""
        self._set(count)

    def _set(self, permits: int | None) -> None:
        with self._change:
            self._permits = permits
            self._change.notify_all()

    def wait_until_held(self, count: int = 1) -> None:
        """Wait until so many uploads are at the door, and none of them may pass.

        Raises
        ------
        TimeoutError
            If they do not come within a minute.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._permits == 0 and self._held >= count, _LONGEST_HOLD):
                raise TimeoutError(f"{self._held} uploads are held after {_LONGEST_HOLD:g} s, not {count}")

    def pass_the_door(self) -> None:
        """Let an upload pass, or hold it (at most a minute)."""
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
            peer.pass_the_door()
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
