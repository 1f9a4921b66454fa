"""An HTTP connection to a peer, straight or through a proxy: one request at a time, each with a deadline."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from orthanc_lab.peers.address import Address, Place
from orthanc_lab.peers.failures import (
    NO_NAME,
    NO_PROXY_NAME,
    RECEIVING,
    WEIRD,
    CallError,
    connection_failure,
    receiving_failure,
    sending_failure,
)
from orthanc_lab.protocol.ports import Clock

__all__ = ["Connection", "Deadline", "Received"]

_CHUNK = 64 * 1024
_JOINED = 64 * 1024  # bytes; a longer body is not copied behind its head

OpenTls = Callable[[], ssl.SSLContext]


class Deadline:
    """When a call has to be over.

    Parameters
    ----------
    seconds
        From now; None for no limit.
    """

    def __init__(self, clock: Clock, seconds: int | None) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def extended(self, seconds: int) -> Deadline:
        """Return one that is at least so many seconds away."""
        later = Deadline(self._clock, seconds)
        return self if self._end is None or later._end is None or self._end >= later._end else later

    def left(self) -> float | None:
        """Return the seconds that are left, None without a limit.

        Raises
        ------
        TimeoutError
            If it has passed.
        """
        if self._end is None:
            return None
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True, slots=True)
class Received:
    """An answer."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return the values of a header; `name` is in lower case."""
        return [value for given, value in self.headers if given.lower() == name]


class Connection:
    """A connection to a place; it is opened at once.

    Parameters
    ----------
    proxy
        Through which it goes; None for none.
    open_tls
        Makes the context for the place itself; `open_proxy_tls` that for a proxy with HTTPS.

    Raises
    ------
    CallError
        If it does not come about.
    """

    def __init__(
        self, place: Place, deadline: Deadline, open_tls: OpenTls, proxy: Address | None, open_proxy_tls: OpenTls
    ) -> None:
        self.place = place
        self.was_used = False
        self.is_usable = True  # for another request
        self._proxy = proxy if place.scheme == "http" else None  # the one that is asked for whole URLs
        self._socket = _dial(proxy.place if proxy else place, deadline, NO_PROXY_NAME if proxy else NO_NAME)
        try:
            if proxy is not None and proxy.place.scheme == "https":
                self._wrap(proxy.place.host, deadline, open_proxy_tls())
            if place.scheme == "https":
                if proxy is not None:
                    self._tunnel(proxy, deadline)
                self._wrap(place.host, deadline, open_tls())
        except BaseException:
            self.close()
            raise

    def send(self, verb: str, target: str, headers: Sequence[str], body: bytes | None, deadline: Deadline) -> None:
        """Send a request.

        Raises
        ------
        CallError
            If not all of it could be sent, and no answer can be expected either.
        """
        if self._proxy is not None:
            target = f"http://{self.place.header}{target}"
            if self._proxy.credentials:
                headers = [*headers, f"Proxy-Authorization: {self._proxy.credentials}"]
        head = "\r\n".join((f"{verb} {target} HTTP/1.1", *headers, "\r\n")).encode()
        try:
            self._socket.settimeout(deadline.left())
            if body is None or len(body) <= _JOINED:
                self._socket.sendall(head + (body or b""))
            else:
                self._socket.sendall(head)
                self._socket.sendall(body)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self.is_usable = False  # it may have refused the request before all of it was sent: there is an answer
        except OSError as error:
            raise sending_failure(error) from error

    def receive(self, verb: str, deadline: Deadline, longest: int) -> Received:
        """Return the answer to what was sent.

        Parameters
        ----------
        longest
            Bytes of the longest body that is read.

        Raises
        ------
        CallError
            If there is none.
        """
        response = http.client.HTTPResponse(_Source(self._socket, deadline), method=verb)  # type: ignore[arg-type]
        begun = False
        try:
            response.begin()
            begun = True
            if response.length is None and response.headers.get("Content-Length", "").strip("0123456789 ,"):
                raise CallError(WEIRD)
            body = _read(response, longest)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise receiving_failure(error, begun=begun) from error
        finally:
            response.close()
        self.was_used = True
        self.is_usable = self.is_usable and not response.will_close
        return Received(response.status, response.reason, response.getheaders(), body)

    def cut(self) -> None:
        """Let whoever waits for something on it, in another thread, find that it has ended."""
        with suppress(OSError):  # it has ended already
            socket.socket.shutdown(getattr(self._socket, "socket", self._socket), socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _wrap(self, host: str, deadline: Deadline, context: ssl.SSLContext) -> None:
        try:
            self._socket.settimeout(deadline.left())
            if isinstance(self._socket, ssl.SSLSocket):
                from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415 - seldom needed

                self._socket = SSLTransport(self._socket, context, server_hostname=host)  # type: ignore[assignment]
            else:
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except (OSError, ValueError) as error:
            raise connection_failure(error) from error

    def _tunnel(self, proxy: Address, deadline: Deadline) -> None:
        at = f"{self.place.host}:{self.place.port}" if ":" not in self.place.host else self.place.header
        headers = [f"Host: {at}"]
        if proxy.credentials:
            headers.append(f"Proxy-Authorization: {proxy.credentials}")
        self.send("CONNECT", at, headers, None, deadline)
        answer = http.client.HTTPResponse(_Source(self._socket, deadline), method="CONNECT")  # type: ignore[arg-type]
        try:
            answer.begin()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise receiving_failure(error, begun=False) from error
        if answer.status != HTTPStatus.OK:
            raise CallError(RECEIVING)


def _dial(place: Place, deadline: Deadline, no_name: str) -> socket.socket:
    try:
        dialled = socket.create_connection((place.host, place.port), deadline.left())
    except (socket.gaierror, UnicodeError) as error:
        raise CallError(no_name) from error
    except OSError as error:
        raise connection_failure(error) from error
    dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return dialled


def _read(response: http.client.HTTPResponse, longest: int) -> bytes:
    content = bytearray()
    while chunk := response.read(_CHUNK):
        content += chunk
        if len(content) > longest:
            raise ValueError("The answer is too long")
    if response.length:  # is missing
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)


class _Source:
    """What `http.client` takes for a socket: reading has a deadline, however little comes at a time."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._reader = _Reader(connected, deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _Reader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(buffer)
