"""How extensions call the server that they are part of: its REST API, without a socket."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from orthanc_lab.extensions.json_values import json_copy
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.json_text import dumps

__all__ = ["LocalCalls", "Orthanc", "RevocableCalls"]

_BY_STATUS = {
    400: ErrorCode.BAD_REQUEST,
    403: ErrorCode.FORBIDDEN_ACCESS,
    404: ErrorCode.UNKNOWN_RESOURCE,
    405: ErrorCode.BAD_REQUEST,
}


class Orthanc(Protocol):
    """The server that an extension is part of: its REST API, with the rights of the server itself.

    What is called is on disk when the call returns, as for every client. An error of the server is an `OrthancError`;
    a route that lets it through passes it on to its own client.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab.extensions import route
    >>> @route("GET", "/names")
    ... def names(request):
    ...     patients = request.orthanc.get("/patients?expand")
    ...     return [patient["MainDicomTags"]["PatientName"] for patient in patients]
    >>> with orthanc_lab.in_process(extensions=[names]) as server:
    ...     server.session.get(f"{server.url}/names").json()
    []
    """

    def get(self, uri: str) -> Any:
        """Return what ``GET`` answers: a JSON value, a text, or bytes of any other type."""
        ...

    def read(self, uri: str) -> bytes:
        """Return the bytes that ``GET`` answers, whatever their type: ``read("/instances/ID/file")``."""
        ...

    def post(self, uri: str, body: Any = b"") -> Any:
        """``POST`` bytes or a text as they are, all else as JSON, and return the answer as `get` does."""
        ...

    def put(self, uri: str, body: Any = b"") -> Any:
        """``PUT``, as `post` does."""
        ...

    def delete(self, uri: str) -> Any:
        """``DELETE``, and return the answer as `get` does."""
        ...


class _Calls:
    """The methods of `Orthanc`, over one that makes the call."""

    def get(self, uri: str) -> Any:
        """GET a value."""
        return _value(*self.call("GET", uri))

    def read(self, uri: str) -> bytes:
        """GET bytes."""
        return self.call("GET", uri)[1]

    def post(self, uri: str, body: Any = b"") -> Any:
        """POST a body."""
        return _value(*self.call("POST", uri, body))

    def put(self, uri: str, body: Any = b"") -> Any:
        """PUT a body."""
        return _value(*self.call("PUT", uri, body))

    def delete(self, uri: str) -> Any:
        """DELETE."""
        return _value(*self.call("DELETE", uri))

    def call(self, method: str, uri: str, body: Any = b"") -> tuple[str, bytes]:
        """Return the media type and the body of an answer."""
        raise NotImplementedError


class LocalCalls(_Calls):
    """Calls an application that is connected later: the jobs of extensions are made before it is."""

    def __init__(self) -> None:
        self._application: WSGIApplication | None = None

    def connect(self, application: WSGIApplication) -> None:
        """Take the application that the calls go to."""
        self._application = application

    def call(self, method: str, uri: str, body: Any = b"") -> tuple[str, bytes]:
        """Return the media type and the body of an answer.

        Raises
        ------
        OrthancError
            What the server answers; 12 for a URI without a slash, 6 before the server has started.
        """
        if self._application is None:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "The server has not started yet")
        if not uri.startswith("/"):
            raise OrthancError(ErrorCode.URI_SYNTAX, f'{uri!r:.80} must begin with "/"')
        started: list[tuple[int, Mapping[str, str]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            started.append((int(status[:3]), {name.lower(): value for name, value in headers}))

        pieces: Any = self._application(_environ(method, uri, _bytes_of(body)), start_response)
        try:
            content = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        status, headers = started[-1]
        if status >= 400:
            raise _error_of(status, content, f"{method} {uri.partition('?')[0]:.200}")
        return headers.get("content-type", ""), content


class RevocableCalls(_Calls):
    """The calls of one run of a job, which come to an end with it."""

    def __init__(self, calls: LocalCalls, why: str) -> None:
        self._calls = calls
        self._why = why
        self._revoked = False

    def revoke(self) -> None:
        """Refuse all further calls: the run counts as ended, although its step goes on."""
        self._revoked = True

    def check(self) -> None:
        """Raise if the run has ended.

        Raises
        ------
        OrthancError
            6 with the reason.
        """
        if self._revoked:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, self._why)

    def call(self, method: str, uri: str, body: Any = b"") -> tuple[str, bytes]:
        """Return the media type and the body of an answer, unless the run has ended."""
        self.check()
        return self._calls.call(method, uri, body)


def _bytes_of(body: Any) -> bytes:
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    return (body if isinstance(body, str) else dumps(json_copy(body, "The body of a request"))).encode()


def _environ(method: str, uri: str, body: bytes) -> dict[str, Any]:
    path, _, query = uri.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.rstrip("/") or "/").decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "0",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "",
        "orthanc.origin": "Plugins",  # as in Orthanc, of what comes from a plug-in
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _value(content_type: str, content: bytes) -> Any:
    media_type = content_type.partition(";")[0]
    if media_type == "application/json":
        return lenient_json.loads(content)
    return content.decode("utf-8", "replace") if media_type.startswith("text/") else content


def _error_of(status: int, content: bytes, call: str) -> OrthancError:
    try:
        document = lenient_json.loads(content)
    except OrthancError:
        document = None
    if isinstance(document, dict) and isinstance(document.get("OrthancStatus"), int):
        return OrthancError(document["OrthancStatus"], str(document.get("Details", "")), status=status)
    return OrthancError(_BY_STATUS.get(status, ErrorCode.INTERNAL_ERROR), f"{call} answered {status}", status=status)
