"""A proxy that writes down all that passes."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.testing.recordings import credentials
from orthanc_lab.testing.recordings.bodies import BytesBody, SpooledBody
from orthanc_lab.testing.recordings.exchange import Body, Headers, RecordedExchange
from orthanc_lab.testing.recordings.local_clients import for_local_clients
from orthanc_lab.testing.recordings.upstream import Upstream, UpstreamAnswer
from orthanc_lab.testing.recordings.writer import PIECE, RecordingWriter

__all__ = ["Recorder"]

_log = logging.getLogger("orthanc_lab.recordings")
_StartResponse = Callable[..., Any]
_BAD_GATEWAY = 502


class Recorder:
    """A proxy before a server; what passes is written to a recording until the end of the ``with`` block.

    Requests and answers pass as they come, piece by piece. Headers that may hold credentials, and the values of JSON
    fields such as ``Password``, are passed on and not written down. What a browser sends for the page of another site
    is refused.

    Parameters
    ----------
    upstream
        Address of the server: an Orthanc of any kind.
    path
        The file to write; it must not exist.
    port
        On which the proxy listens, on the loopback interface; 0 takes a free one.
    verify
        Whether a certificate of the server must be valid.

    Attributes
    ----------
    url
        Where the proxy listens.
    exchanges
        Number of exchanges written so far.
    failure
        Why nothing more is written (the disk is full), else None; requests are then refused.

    Raises
    ------
    ValueError
        If `upstream` is not an address.
    OSError
        If the file exists, or cannot be created.
    OrthancError
        2003 if the port is in use.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab.testing import Recorder, Recording
    >>> with orthanc_lab.serve() as server, Recorder(server.url, "story.recording") as proxy:
    ...     with orthanc_lab.Client(proxy.url) as client:
    ...         client.studies.find()
    []
    >>> with Recording("story.recording") as recording:
    ...     recording.exchanges[-1].method, recording.exchanges[-1].status
    ('POST', 200)
    """

    def __init__(self, upstream: str, path: str | Path, *, port: int = 0, verify: bool = True) -> None:
        self._upstream = Upstream(upstream, verify=verify)
        self._path = Path(path)
        self._asked_port = port
        self._began = time.monotonic()
        self._failed: Callable[[], None] = lambda: None
        self.failure: OSError | None = None

    def __repr__(self) -> str:
        return f"<Recorder of {self._upstream.url} into {self._path}>"

    def __enter__(self) -> Recorder:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def exchanges(self) -> int:
        """Number of exchanges written so far."""
        return self._writer.exchanges

    def start(self, failed: Callable[[], None] | None = None) -> Recorder:
        """Create the file, and listen.

        Parameters
        ----------
        failed
            Called when the file cannot be written any more.
        """
        self._failed = failed or self._failed
        self._server = HttpServer(for_local_clients(self._application), port=self._asked_port)
        try:
            header = {"upstream": self._upstream.url, "began": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
            self._writer = RecordingWriter(self._path, header)
        except BaseException:
            self._server.stop(0)
            raise
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening, let the requests in progress end, and close the file."""
        self._server.stop()
        self._writer.close()

    def _application(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        bodies = SpooledBody(self._path.parent), SpooledBody(self._path.parent)  # the system's folder may be memory
        return _Passing(self._upstream, environ, bodies, self._began, self._write).answer(start_response)

    def _write(self, exchange: RecordedExchange) -> None:
        """Write an exchange; if that fails, nothing more is recorded."""
        try:
            self._writer.add(exchange)
        except OSError as error:
            if self.failure is None:
                self.failure = error
                _log.error("The recording cannot be written any more: %s", error)
                threading.Thread(target=self._failed, daemon=True).start()
            raise


class _Passing:
    """One exchange on its way."""

    def __init__(
        self,
        upstream: Upstream,
        environ: dict[str, Any],
        bodies: tuple[SpooledBody, SpooledBody],
        began: float,
        write: Callable[[RecordedExchange], None],
    ) -> None:
        self._upstream = upstream
        self._record = write
        self._began = began
        self._at = time.monotonic() - began
        self._method: str = environ["REQUEST_METHOD"]
        self._target: str = environ["REQUEST_URI"]
        self._size: str = environ.get("CONTENT_LENGTH", "")
        self._has_body = bool(self._size) or "HTTP_TRANSFER_ENCODING" in environ
        self._input = environ["wsgi.input"]
        self._headers = _headers_of(environ)
        self._sent, self._received = bodies
        self._has_ended = False

    def answer(self, start_response: _StartResponse) -> Iterable[bytes]:
        """Pass the request on, and return the answer while it comes."""
        body = self._sent.passing(self._input.read) if self._has_body else None
        try:
            answer = self._upstream.send(self._method, self._target, self._headers, body, self._size)
        except (OSError, http.client.HTTPException) as error:
            _log.warning("%s %s: no answer from the server: %r", self._method, self._target, error)
            self._write(None, complete=False)
            start_response(f"{_BAD_GATEWAY} Bad Gateway", [("Content-Type", "text/plain; charset=utf-8")])
            return [f"The recorded server does not answer: {error!r}\n".encode()]
        except OrthancError:  # the client has left within its request
            self._sent.close()
            start_response("400 Bad Request", [])
            return []
        start_response(f"{answer.status} {answer.reason}", _without_framing(answer, self._method))
        self._answer = answer
        self._pieces = answer.pieces(PIECE)
        if answer.response.length == 0:
            self._end(complete=True)
            return []
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._end(complete=True)
            raise
        except http.client.HTTPException as error:
            _log.warning("%s %s: the answer of the server breaks off: %r", self._method, self._target, error)
            raise ConnectionResetError from error
        self._received.append(piece)
        if self._answer.response.length == 0:  # what a client has got whole is in the recording
            self._end(complete=True)
        return piece

    def close(self) -> None:
        """Write the exchange down, if that was not done (PEP 3333): the client has left, or the answer broke off."""
        self._end(complete=False)

    def _end(self, *, complete: bool) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        self._answer.close()
        self._write(self._answer, complete=complete)

    def _write(self, answer: UpstreamAnswer | None, *, complete: bool) -> None:
        try:
            headers = credentials.request_headers(self._headers)
            received = [] if answer is None else answer.headers
            answer_headers = credentials.answer_headers(
                pair for pair in received if self._method == "HEAD" or pair[0].lower() != "content-length"
            )
            exchange = RecordedExchange(
                method=self._method,
                target=credentials.target_without_credentials(self._target),
                headers=headers,
                body=self._body(self._sent, headers) if self._has_body else None,
                status=0 if answer is None else answer.status,
                answer_headers=answer_headers,
                answer=self._body(self._received, answer_headers) if self._received.size else None,
                chunked=answer is not None and answer.chunked,
                complete=complete,
                at=self._at,
                took=time.monotonic() - self._began - self._at,
            )
            self._record(exchange)
        finally:
            self._sent.close()
            self._received.close()

    def _body(self, body: SpooledBody, headers: Headers) -> Body | None:
        start = next(body.pieces(), b"")
        if not credentials.may_hold_credentials(self._target, start[:64], headers):
            return body
        if body.size > credentials.LONGEST:
            _log.warning("%s %s: the document is too long to be recorded", self._method, self._target)
            return None
        content = body.read()
        clean = credentials.body_without_credentials(self._target, content, headers)
        return body if clean == content else BytesBody(clean)


def _headers_of(environ: dict[str, Any]) -> list[tuple[str, str]]:
    found = [
        (name[5:].replace("_", "-").title(), str(value)) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    if "CONTENT_TYPE" in environ:
        found.append(("Content-Type", environ["CONTENT_TYPE"]))
    return found


def _without_framing(answer: UpstreamAnswer, method: str) -> list[tuple[str, str]]:
    """Return the headers of an answer; our own server says where the body ends if the other one did it by chunks."""
    has_length = method == "HEAD" or not answer.chunked
    return [(name, value) for name, value in answer.headers if has_length or name.lower() != "content-length"]
