"""A server that answers as a recording does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.testing.recordings import credentials
from orthanc_lab.testing.recordings.bodies import BytesBody, SpooledBody
from orthanc_lab.testing.recordings.errors import NotRecordedError
from orthanc_lab.testing.recordings.exchange import Body, Headers, RecordedExchange
from orthanc_lab.testing.recordings.matching import Matcher, key_of
from orthanc_lab.testing.recordings.reader import Recording
from orthanc_lab.testing.recordings.writer import PIECE

__all__ = ["Replay", "recorded"]

_log = logging.getLogger("orthanc_lab.recordings")
_StartResponse = Callable[..., Any]
_NOT_RECORDED = 501
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
_MOST_MISSES = 1000


class Replay:
    """A server on the loopback interface that answers as a recording does, until the end of the ``with`` block.

    A request that comes for the second time gets the second recorded answer to it, and so on; when they are used up,
    the last one again. A request is found by method, path, query, body, and the headers that decide on the answer
    (``Accept``, ``Range``, ``If-Match`` …); the layout of JSON and the order of parameters do not count.

    Made by `orthanc_lab.testing.recorded`.

    Attributes
    ----------
    url
        Its address.
    session
        A `requests.Session`.
    misses
        What was asked that is not in the recording: a text for each request, with the nearest ones.
    """

    def __init__(self, path: str | Path, *, port: int = 0, strict: bool = True) -> None:
        self.recording = Recording(path)
        self._strict = strict
        self._matcher = Matcher(self.recording)
        self._asked_port = port
        self.misses: list[str] = []
        self.session = requests.Session()

    def __repr__(self) -> str:
        return f"<Replay of {self.recording!r}>"

    def __enter__(self) -> Replay:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._strict and kind is None:
            self.check()

    def start(self) -> Replay:
        """Listen."""
        try:
            self._server = HttpServer(self._application, port=self._asked_port)
        except BaseException:
            self.recording.close()
            raise
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self.session.close()
        self._server.stop()
        self.recording.close()

    def restart(self) -> None:
        """Answer as at the beginning of the recording, and forget the misses."""
        self._matcher.restart()
        self.misses.clear()

    def check(self) -> None:
        """Do nothing if everything that was asked is in the recording.

        Raises
        ------
        NotRecordedError
            With what was asked, and the nearest requests of the recording.
        """
        if self.misses:
            raise NotRecordedError("\n\n".join(self.misses))

    def _application(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        target = credentials.target_without_credentials(environ["REQUEST_URI"])
        headers = _headers_of(environ)
        body = _body_of(environ, target, headers)
        key = key_of(environ["REQUEST_METHOD"], target, headers, body)
        if isinstance(body, SpooledBody):
            body.close()
        exchange = self._matcher.take(key)
        if exchange is None:
            miss = self._matcher.explain(key)
            _log.warning("%s", miss)
            if len(self.misses) < _MOST_MISSES:
                self.misses.append(miss)
            start_response(f"{_NOT_RECORDED} Not Implemented", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{miss}\n".encode()]
        return _answer(exchange, start_response)


def recorded(path: str | Path, *, port: int = 0, strict: bool = True) -> Replay:
    """Start a server that answers as a recording does.

    Parameters
    ----------
    path
        A recording, or a capsule.
    port
        On which it listens, on the loopback interface; 0 takes a free one.
    strict
        Whether a request that is not in the recording fails the ``with`` block at its end; it is answered by 501 in
        any case, with the nearest requests of the recording.

    Raises
    ------
    RecordingError
        If the file is not a recording, is of another version, or is damaged.
    NotRecordedError
        At the end of the ``with`` block; an `AssertionError`.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab.testing import recorded
    >>> with recorded("story.recording") as server, orthanc_lab.Client(server.url) as client:
    ...     len(client.instances)
    1
    """
    return Replay(path, port=port, strict=strict)


def _headers_of(environ: dict[str, Any]) -> Headers:
    pairs = [(name[5:].replace("_", "-"), str(value)) for name, value in environ.items() if name.startswith("HTTP_")]
    if "CONTENT_TYPE" in environ:
        pairs.append(("content-type", environ["CONTENT_TYPE"]))
    return credentials.request_headers(pairs)


def _body_of(environ: dict[str, Any], target: str, headers: Headers) -> Body | None:
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    body = SpooledBody()
    for _ in body.passing(environ["wsgi.input"].read):
        pass
    start = next(body.pieces(), b"")
    if not credentials.may_hold_credentials(target, start[:64], headers) or body.size > credentials.LONGEST:
        return body
    content = body.read()
    body.close()
    return BytesBody(credentials.body_without_credentials(target, content, headers))


def _answer(exchange: RecordedExchange, start_response: _StartResponse) -> Iterable[bytes]:
    if not exchange.status:
        return _broken_off(iter(()))
    headers = [(_spelled(name), value) for name, value in exchange.answer_headers if name not in _OF_THE_CONNECTION]
    if exchange.answer is not None:
        headers = [pair for pair in headers if pair[0] != "Content-Length"]
    if exchange.answer is not None and not exchange.chunked and exchange.complete:
        headers.append(("Content-Length", str(exchange.answer.size)))
    start_response(f"{exchange.status} {_phrase(exchange.status)}", headers)
    if exchange.answer is None:
        return [] if exchange.complete else _broken_off(iter(()))
    if not exchange.complete:
        return _broken_off(exchange.answer.pieces())
    if exchange.chunked or exchange.answer.size > PIECE:
        return exchange.answer.pieces()
    return [exchange.answer.read()]


def _broken_off(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from pieces
    raise ConnectionResetError("the recorded answer broke off here")


def _spelled(name: str) -> str:
    return name.title()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
