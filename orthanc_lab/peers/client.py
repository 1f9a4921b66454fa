"""Calling another Orthanc server over HTTP. It takes 0.1 s to import, so it is loaded with the first call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType

import requests

from orthanc_lab.peers.failures import words_of
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.peers.peer import Peer, without_credentials
from orthanc_lab.peers.session import open_session
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock

__all__ = ["PeerAnswer", "PeerClient"]

_LONGEST_ANSWER = 64 * 1024 * 1024  # bytes; a peer that sends more is not an Orthanc server
_CHUNK = 64 * 1024
_log = logging.getLogger("orthanc_lab.http")
_KNOWN_STATUSES = {int(status) for status in HTTPStatus} - {103, 308, 418, 421, 425, 428, 429, 431, 451, 511}


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """What a peer answered, after redirections."""

    status: int
    body: bytes
    cookies: str = ""  # NAME=VALUE; … as they are to be sent back

    @property
    def ok(self) -> bool:
        """True for a 2xx status."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Limits:
    timeout: int | None  # seconds
    longest: int  # bytes of an answer


class PeerClient:
    """A connection to a peer, kept open from one request to the next.

    Raises
    ------
    OrthancError
        -1 for a peer that needs PKCS#11.
    """

    def __init__(self, peer: Peer, options: HttpOptions, clock: Clock) -> None:
        if peer.pkcs11:
            text = "This version of Orthanc is compiled without support for PKCS#11"
            raise OrthancError(ErrorCode.INTERNAL_ERROR, text)
        self._peer = peer
        self._options = options
        self._clock = clock
        self._timeout = peer.timeout or options.timeout or None
        self._session: requests.Session | None = None

    def __enter__(self) -> PeerClient:
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def get(self, path: str) -> PeerAnswer:
        """Return the answer to a GET of a path, which has no initial slash.

        Raises
        ------
        OrthancError
            9 if there is no answer, with details in the words of libcurl; 3 for a status that
            Orthanc does not know.
        """
        return self._request("GET", path, None, {})

    def post(self, path: str, body: bytes, *, compressed: bool = False) -> PeerAnswer:
        """Return the answer to a POST; `compressed` means that the body is in gzip format.

        Raises
        ------
        OrthancError
            9 or 3, as `get`.
        """
        headers = {"Content-Type": "application/dicom"}
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return self._request("POST", path, body, headers)

    def call(
        self,
        verb: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: int | None = None,
        longest: int = _LONGEST_ANSWER,
    ) -> PeerAnswer:
        """Return the answer to any request.

        Parameters
        ----------
        path
            Path and query; an initial slash makes no difference.
        timeout
            Seconds, in place of those of the peer and of ``HttpTimeout``.
        longest
            Bytes of the longest answer that is read.

        Raises
        ------
        OrthancError
            9 or 3, as `get`.
        """
        limits = _Limits(self._timeout if timeout is None else timeout or None, longest)
        return self._request(verb, path.removeprefix("/"), body, dict(headers or {}), limits)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _request(
        self, verb: str, path: str, body: bytes | None, headers: dict[str, str], limits: _Limits | None = None
    ) -> PeerAnswer:
        url = self._peer.url + path
        limits = limits or _Limits(self._timeout, _LONGEST_ANSWER)
        reused = self._session is not None
        while True:
            try:
                return self._send(verb, url, body, headers, limits)
            except requests.ConnectionError as error:
                self.close()
                # A server may close an idle connection just when it is used again.
                if not reused or isinstance(error, requests.Timeout):
                    raise OrthancError(ErrorCode.NETWORK_PROTOCOL, words_of(error, without_credentials(url))) from error
                reused = False
            except (requests.RequestException, OSError, ValueError) as error:
                self.close()
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL, words_of(error, without_credentials(url))) from error

    def _send(self, verb: str, url: str, body: bytes | None, headers: dict[str, str], limits: _Limits) -> PeerAnswer:
        if self._session is None:
            self._session = open_session(self._peer, self._options)
        target = url if "://" in url else f"http://{url}"
        end = None if limits.timeout is None else self._clock.monotonic() + limits.timeout
        with self._session.request(
            verb, target, data=body, headers=headers, timeout=limits.timeout, stream=True
        ) as answer:
            if self._options.verbose:
                self._log_heads(answer)
            content = bytearray()
            for chunk in answer.iter_content(_CHUNK):
                content += chunk
                if len(content) > limits.longest:
                    raise requests.exceptions.ChunkedEncodingError("The answer is too long")
                if end is not None and self._clock.monotonic() > end:
                    raise requests.Timeout("The answer comes too slowly")
            status = answer.status_code
            cookies = "; ".join(text.partition(";")[0] for text in answer.raw.headers.getlist("Set-Cookie"))
        if status not in _KNOWN_STATUSES:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        return PeerAnswer(status, bytes(content), cookies)

    def _log_heads(self, answer: requests.Response) -> None:
        """Log the heads of a call and of those that were redirected, in libcurl's form, but without secrets."""
        secret = {"authorization", *(name.lower() for name in self._peer.headers)}
        for exchange in (*answer.history, answer):
            sent = exchange.request
            lines = [f"> {sent.method} {without_credentials(sent.url or '')}"]
            lines += [f"> {name}: {'***' if name.lower() in secret else value}" for name, value in sent.headers.items()]
            lines.append(f"< HTTP/1.1 {exchange.status_code} {exchange.reason}")
            lines += [f"< {name}: {value}" for name, value in exchange.headers.items()]
            for line in lines:
                _log.warning("%s", line)
