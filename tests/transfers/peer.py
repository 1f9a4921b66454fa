"""A peer that notes each request, holds some of them, and answers as a test says."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    verb: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def name(self) -> str:
        return f"{self.verb} {self.path}"


Answer = tuple[int, dict[str, str], bytes]


class ScriptedPeer:
    """Asks `answer` for what to say to a request: a JSON value, bytes, a status, or all of an answer."""

    def __init__(self, answer: Callable[[Call], Any]) -> None:
        self.calls: list[Call] = []
        self.answer = answer
        self.hold: Callable[[Call], bool] = lambda call: False
        self.held = 0
        self._free = threading.Condition()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, body)
                status, more, content = peer._note(call)
                self.send_response(status)
                for name, value in {**more, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a caller that has left
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _note(self, call: Call) -> Answer:
        with self._free:
            self.calls.append(call)
            if self.hold(call):
                self.held += 1
                self._free.wait_for(lambda: not self.hold(call), 20)
                self.held -= 1
        said = self.answer(call)
        if isinstance(said, int):
            return said, {}, b"{}"
        if isinstance(said, tuple):
            return said
        return 200, {}, said if isinstance(said, bytes) else json.dumps(said).encode()

    def hold_back(self, which: Callable[[Call], bool]) -> None:
        """From now on, let these requests wait."""
        with self._free:
            self.hold = which
            self._free.notify_all()

    def let_go(self) -> None:
        self.hold_back(lambda call: False)

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.calls]

    def close(self) -> None:
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
