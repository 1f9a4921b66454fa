"""A transport for `requests` that calls a WSGI application in the same process."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict
from urllib3.response import HTTPResponse

from orthanc_lab.protocol.paths import decoded

__all__ = ["WsgiTransport"]


class WsgiTransport(BaseAdapter):
    """Sends requests to a WSGI application; streams stay streams.

    Parameters
    ----------
    application
        Called on the thread of the caller.
    remote_address
        Where the requests seem to come from.
    """

    def __init__(self, application: WSGIApplication, remote_address: str = "127.0.0.1") -> None:
        super().__init__()
        self._application = application
        self._remote_address = remote_address

    def send(self, request: requests.PreparedRequest, stream: bool = False, *_: Any, **__: Any) -> requests.Response:
        """Call the application and return its answer."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            started.append((status, headers))
            return None

        try:
            body = self._application(self._environ(request), start_response)
        except ConnectionError as error:  # an OSError; requests has one of its own
            raise requests.ConnectionError(error, request=request) from error
        status, headers = started[-1]
        answer = requests.Response()
        answer.status_code = int(status[:3])
        answer.reason = status[4:]
        answer.url = request.url or ""
        answer.request = request
        answer.connection = self  # type: ignore[assignment] # as the usual adapter does
        for name, value in headers:
            answer.headers[name] = value
        answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
        answer.raw = HTTPResponse(
            body=_Reader(body),
            headers=HTTPHeaderDict(headers),
            status=answer.status_code,
            reason=answer.reason,
            preload_content=False,
            original_response=_Headers(headers),  # type: ignore[arg-type] # where requests looks for cookies
        )
        return answer

    def close(self) -> None:
        """Nothing is kept open."""

    def _environ(self, request: requests.PreparedRequest) -> dict[str, Any]:
        url = urlsplit(request.url or "/")
        body = request.body if request.body is not None else b""
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, (bytes, bytearray)):
            body = body.read() if hasattr(body, "read") else b"".join(body)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method or "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": decoded(url.path or "/"),
            "QUERY_STRING": url.query,
            "SERVER_NAME": url.hostname or "localhost",
            "SERVER_PORT": str(url.port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self._remote_address,
            "orthanc.in_process": True,  # no web page reaches it, whatever its name
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
        if body and "CONTENT_LENGTH" not in environ:
            environ["CONTENT_LENGTH"] = str(len(body))
        environ.setdefault("HTTP_HOST", url.netloc)
        return environ


class _Reader(io.RawIOBase):
    """The body of an answer as a file."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body
        self._pieces: Iterator[bytes] = iter(body)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        number = min(len(buffer), len(self._rest))
        buffer[:number] = self._rest[:number]
        self._rest = self._rest[number:]
        return number

    def close(self) -> None:
        if not self.closed:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        super().close()


class _Headers:
    """What `requests` wants of an answer to find its cookies."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        pass
