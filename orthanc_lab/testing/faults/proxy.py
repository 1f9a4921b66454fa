"""Faults in front of any server: a proxy that passes requests on, and fails as it is told to."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.testing.faults.behind import OtherServer
from orthanc_lab.testing.faults.faults import Faults
from orthanc_lab.testing.faults.requests import faulty_application
from orthanc_lab.testing.recordings.local_clients import for_local_clients
from orthanc_lab.testing.recordings.upstream import Upstream, UpstreamAnswer

__all__ = ["FaultyProxy"]

_PIECE = 1 << 16
_CONNECTION = ("content-length", "transfer-encoding")


class FaultyProxy:
    """A proxy in front of a server, such as a real Orthanc, with the faults of HTTP and *restart that forgets*.

    The other faults happen inside of a server: `orthanc_lab.serve` takes them.

    Parameters
    ----------
    upstream
        The address of the server, with a name and a password if it needs them.
    faults
        What is to go wrong.

    Attributes
    ----------
    url
        Where the proxy serves, for the clients.

    Examples
    --------
    >>> import requests
    >>> with FaultyProxy(server.url, faults) as proxy, faults.on("503 without Retry-After", times=1):
    ...     [requests.get(f"{proxy.url}/system").status_code for _ in range(2)]
    [503, 200]
    """

    def __init__(self, upstream: str, faults: Faults) -> None:
        self._upstream = Upstream(upstream)
        self._server = HttpServer(for_local_clients(faulty_application(self._pass, OtherServer(upstream), faults)))
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __repr__(self) -> str:
        return f"<FaultyProxy at {self.url} of {self._upstream.url}>"

    def __enter__(self) -> FaultyProxy:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def _pass(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        size = environ.get("CONTENT_LENGTH", "")
        has_body = bool(size) or "HTTP_TRANSFER_ENCODING" in environ
        body = _pieces_of(environ["wsgi.input"].read) if has_body else None
        try:
            answer = self._upstream.send(
                environ["REQUEST_METHOD"], _target(environ), _headers(environ), body, size if has_body else ""
            )
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionResetError(str(error)) from error
        is_whole = environ["REQUEST_METHOD"] == "HEAD" or not answer.chunked
        dropped = () if is_whole else _CONNECTION
        start(f"{answer.status} {answer.reason}", [pair for pair in answer.headers if pair[0].lower() not in dropped])
        return _Body(answer)


class _Body:
    """The body of an answer as it comes."""

    def __init__(self, answer: UpstreamAnswer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.pieces(_PIECE)
        except http.client.HTTPException as error:
            raise ConnectionResetError(str(error)) from error

    def close(self) -> None:
        self._answer.close()


def _pieces_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while piece := read(_PIECE):
        yield piece


def _target(environ: dict[str, Any]) -> str:
    """Return path and query; a fault may have changed the query."""
    path = str(environ["REQUEST_URI"]).partition("?")[0]
    query = environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    names = [name for name in environ if name.startswith("HTTP_") and name != "HTTP_TRANSFER_ENCODING"]
    found = [(name[5:].replace("_", "-").title(), str(environ[name])) for name in names]
    return [*found, ("Content-Type", environ["CONTENT_TYPE"])] if "CONTENT_TYPE" in environ else found
