"""Calling another Orthanc server over HTTP. What it needs is loaded with the first call."""

from __future__ import annotations

import logging
import ssl
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType

from orthanc_lab.peers.address import Address, Place, basic_credentials, read_address
from orthanc_lab.peers.answer import Head, Received
from orthanc_lab.peers.connection import Connection
from orthanc_lab.peers.deadline import Deadline
from orthanc_lab.peers.failures import NO_CONNECTION, REDIRECTIONS, CallError
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.peers.peer import Peer, without_credentials
from orthanc_lab.peers.request import Request
from orthanc_lab.peers.tls import open_context
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock

__all__ = ["PeerAnswer", "PeerCall", "PeerClient"]

_LONGEST_ANSWER = 64 * 1024 * 1024  # bytes; a peer that sends more is not an Orthanc server
_LONGEST_AFTER_POST = 16 * 1024 * 1024  # … and what one says of an upload: of a ZIP, 400 bytes a file
_MOST_REDIRECTIONS = 30
_MOMENT = 1  # second
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


class PeerClient:
    """Calls a peer, from any thread; its connections are kept open from one request to the next.

    Raises
    ------
    OrthancError
        -1 for a peer that needs PKCS#11.
    """

    def __init__(self, peer: Peer, options: HttpOptions, clock: Clock) -> None:
        if peer.pkcs11:
            text = "This version of Orthanc is compiled without support for PKCS#11"
            raise OrthancError(ErrorCode.INTERNAL_ERROR, text)
        peer.check_files()
        self._peer = peer
        self._options = options
        self._clock = clock
        self._timeout = peer.timeout or options.timeout or None
        self._idle: deque[Connection] = deque()
        self._tls: ssl.SSLContext | None = None
        self._is_closed = self._is_cut = False
        self._in_use: set[Connection] = set()
        weakref.finalize(self, _close_all, self._idle)  # of a job that was abandoned in the middle of a step

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
        return self.call("GET", path)

    def post(self, path: str, body: bytes, *, compressed: bool = False) -> PeerAnswer:
        """Return the answer to a POST; `compressed` means that the body is in gzip format.

        Raises
        ------
        OrthancError
            9 or 3, as `get`.
        """
        return self.begin_post(path, body, compressed=compressed).answer()

    def begin_post(self, path: str, body: bytes, *, compressed: bool = False) -> PeerCall:
        """Send a POST, as `post`; the peer works on it while the caller does something else."""
        headers = {"Content-Type": "application/dicom"}
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return self._begin("POST", path, body, headers, timeout=self._timeout, longest=_LONGEST_AFTER_POST)

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
        seconds = self._timeout if timeout is None else timeout or None
        path = path.removeprefix("/")
        return self._begin(verb, path, body, headers or {}, timeout=seconds, longest=longest).answer()

    def close(self) -> None:
        """Close the connections: those in use once they have been answered."""
        self._is_closed = True
        _close_all(self._idle)

    def cut(self) -> None:
        """Cut the connections, from another thread: whoever waits for an answer gets an error; no call follows."""
        self._is_cut = True
        for connection in list(self._in_use):
            connection.cut()

    def _begin(
        self,
        verb: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        timeout: int | None,
        longest: int,
    ) -> PeerCall:
        secret = dict(self._peer.headers)
        if self._peer.username:
            secret["Authorization"] = basic_credentials(self._peer.username, self._peer.password)
        request = Request(verb, self._peer.url + path, body, headers, secret)
        return PeerCall(self, request, timeout, longest)

    def _connection(self, place: Place, *, fresh: bool) -> tuple[Connection, bool]:
        """Return a connection, and whether it is open; `fresh` is for one that found it closed."""
        if self._is_cut:
            raise CallError(NO_CONNECTION)
        while not fresh and (kept := _taken_from(self._idle)) is not None:
            if kept.place == place and kept.is_quiet:
                return kept, True
            kept.close()
        proxy = read_address(self._options.proxy) if self._options.proxy else None
        made = Connection(place, partial(self._open_tls, place), proxy, partial(open_context, self._options))
        return made, False

    def _release(self, connection: Connection) -> None:
        self._in_use.discard(connection)
        if connection.is_usable and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()

    def _open_tls(self, place: Place) -> ssl.SSLContext:
        if place != read_address(self._peer.url).place:
            return open_context(self._options)  # a peer's certificate is for itself alone
        if self._tls is None:
            self._tls = open_context(self._options, self._peer)
        return self._tls

    def _log_heads(self, request: Request, address: Address, lines: list[str], head: Head) -> None:
        """Log the heads of a call in libcurl's form, but without secrets."""
        if not self._options.verbose:
            return
        secret = {"authorization", "cookie", "set-cookie", *(name.lower() for name in self._peer.headers)}
        shown = [f"> {request.verb} {address.url}"]
        sent = ((name, value) for name, _, value in (line.partition(": ") for line in lines))
        shown += [f"> {name}: {'***' if name.lower() in secret else value}" for name, value in sent]
        shown.append(f"< HTTP/1.1 {head.status} {head.reason}")
        shown += [f"< {name}: {'***' if name.lower() in secret else value}" for name, value in head.headers]
        for line in shown:
            _log.warning("%s", line)


def _taken_from(idle: deque[Connection]) -> Connection | None:
    try:
        return idle.pop()
    except IndexError:  # another thread may have taken the last one
        return None


def _close_all(idle: deque[Connection]) -> None:
    while (kept := _taken_from(idle)) is not None:
        kept.close()


class PeerCall:
    """A request on its way to a peer."""

    def __init__(self, client: PeerClient, request: Request, timeout: int | None, longest: int) -> None:
        self._client = client
        self._first = self._request = request
        self._longest = longest
        self._connection: Connection | None = None
        self._failure: CallError | None = None
        self._deadline = Deadline(client._clock, timeout)
        try:
            self._send(self._deadline)
        except CallError as error:
            self._failure = error  # is told to whom asks for the answer

    def answer(self, seconds: float | None = None) -> PeerAnswer:
        """Wait for the answer; once.

        Parameters
        ----------
        seconds
            For which to wait, in place of what is left of the time-out of the call.

        Raises
        ------
        OrthancError
            9 or 3, as `PeerClient.get`.
        """
        try:
            if seconds is None:
                received = self._final(self._deadline.extended(_MOMENT))  # it may have come while nobody waited
            else:
                received = self._final(Deadline(self._client._clock, seconds))
        except CallError as error:
            self.abandon()
            url = without_credentials(self._first.url)
            text = f"libCURL error: {error.words} while accessing {url}"
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, text) from error
        if received.head.status not in _KNOWN_STATUSES:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        cookies = "; ".join(text.partition(";")[0] for text in received.head.all("set-cookie"))
        return PeerAnswer(received.head.status, received.body, cookies)

    def abandon(self) -> None:
        """Close the connection: nobody waits for the answer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._client._in_use.discard(connection)
            connection.close()

    def _final(self, deadline: Deadline) -> Received:
        """Return the answer after redirections."""
        for _ in range(_MOST_REDIRECTIONS):
            received = self._receive(deadline)
            following = self._request.redirected(received.head.status, received.head.all("location"))
            if following is None:
                return received
            self._request = following
            self._send(deadline)
        raise CallError(REDIRECTIONS)

    def _receive(self, deadline: Deadline) -> Received:
        connection = self._connection
        was_kept = connection is not None and connection.was_used
        try:
            if self._failure is not None:
                raise self._failure
            return self._receive_from(connection, deadline)
        except CallError as error:
            self.abandon()
            # A server may close an idle connection just when it is used again.
            if not (was_kept and error.silent):
                raise
        self._send(deadline, fresh=True)
        return self._receive_from(self._connection, deadline)

    def _receive_from(self, connection: Connection | None, deadline: Deadline) -> Received:
        assert connection is not None
        received = connection.receive(self._request.verb, deadline, self._longest)
        address = self._request.address
        self._client._log_heads(self._request, address, self._request.head(address), received.head)
        self._connection = None
        self._client._release(connection)
        return received

    def _send(self, deadline: Deadline, *, fresh: bool = False) -> None:
        request = self._request
        address = request.address
        lines = request.head(address)
        self._connection, is_open = self._client._connection(address.place, fresh=fresh)
        self._client._in_use.add(self._connection)  # so that it can be cut from now on
        if not is_open:
            try:
                self._connection.open(deadline)
            except BaseException:
                self.abandon()
                raise
        if self._client._is_cut:  # while it was opened
            raise CallError(NO_CONNECTION)
        self._connection.send(request.verb, address.target, lines, request.body, deadline)
