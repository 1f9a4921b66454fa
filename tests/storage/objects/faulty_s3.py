"""An S3 server that fails as it is told to: it stands before a real one."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["FaultyS3"]

FAULTS = ("503", "lost answer", "truncated", "damaged", "missing", "silent", "slow")


class FaultyS3:
    """Passes requests on to an S3 server, apart from the faults that are in force."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._lock = threading.Lock()
        self._left: dict[str, float] = {}
        self._verb = ""
        self.happened = 0
        self.awake = threading.Event()  # ends what is silent
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.awake.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @contextmanager
    def on(self, fault: str, times: float = float("inf"), verb: str = "") -> Iterator[None]:
        """Let a fault happen so many times, to requests of one verb or all."""
        assert fault in FAULTS
        self.happened = 0
        self._left, self._verb = {fault: times}, verb
        yield
        self._left = {}

    def _takes(self, verb: str) -> str:
        with self._lock:
            if self._verb in ("", verb):
                for fault, left in self._left.items():
                    if left > 0:
                        self._left[fault] = left - 1
                        self.happened += 1
                        return fault
        return ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        faults = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:  # the client has given up
                    self.close_connection = True

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = faults._takes(self.command)
                if fault == "503":
                    self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
                    return
                if fault == "missing":
                    self._answer(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
                    return
                if fault == "silent":
                    faults.awake.wait(30)
                    self.close_connection = True
                    return
                status, headers, answer = faults._asked(self.command, self.path, dict(self.headers), body)
                if fault == "lost answer":
                    self.close_connection = True
                elif fault == "truncated":
                    self._answer(status, headers, answer, lambda data: data[: len(data) // 2])
                    self.close_connection = True
                elif fault == "damaged":
                    self._answer(status, headers, answer, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
                else:
                    self._answer(status, headers, answer, pause=0.3 if fault == "slow" else 0)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = pass_on

            def _answer(
                self,
                status: int,
                headers: dict[str, str],
                body: bytes,
                change: Callable[[bytes], bytes] = bytes,
                pause: float = 0,
            ) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
                self.send_header("Content-Length", length)
                self.end_headers()
                if self.command != "HEAD":
                    middle = len(body) // 2
                    self.wfile.write(change(body)[:middle])
                    faults.awake.wait(pause)
                    self.wfile.write(change(body)[middle:])

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler

    def _asked(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._behind, timeout=10)
        try:
            connection.request(verb, path, body, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()
