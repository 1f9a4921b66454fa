"""A server that is busy for some requests, and writes down all of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from orthanc_lab.server.http.server import HttpServer

__all__ = ["BusyServer"]

_MOST_REQUESTS = 1000  # that are written down


class BusyServer:
    """Answers 503 some times, then a document that nobody can know without asking.

    Parameters
    ----------
    times
        How many requests are answered 503.

    Attributes
    ----------
    url
        Its address.
    document
        What it answers then.
    requests
        What it was asked: verb and path, and who asked (``User-Agent``).
    """

    def __init__(self, times: int) -> None:
        self._left = times
        self.document = {"Answer": secrets.token_hex(8)}
        self.requests: list[tuple[str, str]] = []
        self._server = HttpServer(self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> BusyServer:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if len(self.requests) < _MOST_REQUESTS:
            line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            self.requests.append((line, environ.get("HTTP_USER_AGENT", "")))
        if self._left > 0:
            self._left -= 1
            start("503 Service Unavailable", [])
            return [b""]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(self.document).encode()]
