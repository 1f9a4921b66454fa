"""The few requests that a file area sends to Azure and Google, answered as their documentation says."""

from __future__ import annotations

import hashlib
import re
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["Cloud"]

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Cloud:
    """Blobs by path, over HTTP."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.headers: list[dict[str, str]] = []  # of the requests that wrote one
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _put(self, path: str, data: bytes, headers: dict[str, str]) -> bool:
        """Write a blob; False if there is one, and the request forbids to replace it."""
        creates = headers.get("if-none-match") == "*" or headers.get("x-goog-if-generation-match") == "0"
        with self._lock:
            if creates and path in self.blobs:
                return False
            self.blobs[path] = data
            self.headers.append(headers)
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                done = cloud._put(self._path(), data, headers)
                # Azure says 409 where Google says 412.
                self._answer(201 if done else 409 if "x-ms-version" in headers else 412, data if done else b"")

            def do_GET(self) -> None:
                data = cloud.blobs.get(self._path())
                if data is None:
                    self._answer(404)
                    return
                found = _RANGE.match(self.headers.get("x-ms-range") or self.headers.get("Range") or "")
                if not found:
                    self._answer(200, data, body=True)
                    return
                start = int(found[1])
                end = min(int(found[2]) + 1, len(data)) if found[2] else len(data)
                if start >= len(data):
                    self._answer(416)
                    return
                self._answer(206, data, body=True, part=(start, end))

            do_HEAD = do_GET

            def do_DELETE(self) -> None:
                removed = cloud.blobs.pop(self._path(), None)
                self._answer(404 if removed is None else 202)

            def do_POST(self) -> None:
                """Remove many blobs of Azure by one request."""
                text = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8", "replace")
                parts = []
                for number, path in enumerate(re.findall(r"^DELETE (\S+) HTTP/1.1", text, re.MULTILINE)):
                    removed = cloud.blobs.pop(unquote(urlsplit(path).path), None)
                    status = "404 The specified blob does not exist." if removed is None else "202 Accepted"
                    parts.append(
                        f"--batch\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n"
                        f"HTTP/1.1 {status}\r\nx-ms-error-code: BlobNotFound\r\nx-ms-version: 2018-11-09\r\n\r\n"
                    )
                body = "".join([*parts, "--batch--\r\n"]).encode()
                self.send_response_only(202)
                self.send_header("Content-Type", "multipart/mixed; boundary=batch")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _path(self) -> str:
                return unquote(urlsplit(self.path).path)

            def _answer(
                self, status: int, data: bytes = b"", *, body: bool = False, part: tuple[int, int] | None = None
            ) -> None:
                start, end = part or (0, len(data))
                self.send_response_only(status)
                self.send_header("Content-Length", str(end - start if body else 0))
                if part:
                    self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
                self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
                self.send_header("Last-Modified", formatdate(usegmt=True))
                self.send_header("x-goog-generation", "1")
                self.end_headers()
                if body and self.command == "GET":
                    self.wfile.write(data[start:end])

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler
