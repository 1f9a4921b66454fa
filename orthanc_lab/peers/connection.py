"""An HTTP connection to a peer, straight or through a proxy: one request at a time, each with a deadline."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus

from orthanc_lab.peers.address import Address, Place
from orthanc_lab.peers.answer import AnswerReader, Received
from orthanc_lab.peers.deadline import Deadline
from orthanc_lab.peers.failures import (
    NO_CONNECTION,
    NO_NAME,
    NO_PROXY_NAME,
    RECEIVING,
    CallError,
    connection_failure,
    sending_failure,
)

__all__ = ["Connection"]

_JOINED = 64 * 1024  # bytes; a longer body is not copied behind its head

OpenTls = Callable[[], ssl.SSLContext]


class Connection:
    """A connection to a place, once it is opened.

    Parameters
    ----------
    proxy
        Through which it goes; None for none.
    open_tls
        Makes the context for the place itself; `open_proxy_tls` that for a proxy with HTTPS.
    """

    def __init__(self, place: Place, open_tls: OpenTls, proxy: Address | None, open_proxy_tls: OpenTls) -> None:
        self.place = place
        self.was_used = False
        self.is_usable = True  # for another request
        self._through = proxy
        self._proxy = proxy if place.scheme == "http" else None  # the one that is asked for whole URLs
        self._open_tls, self._open_proxy_tls = open_tls, open_proxy_tls
        self._has_socket = self._is_cut = False

    def open(self, deadline: Deadline) -> None:
        """Open it.

        Raises
        ------
        CallError
            If it does not come about.
        """
        place, proxy = self.place, self._through
        self._socket = _dial(proxy.place if proxy else place, deadline, NO_PROXY_NAME if proxy else NO_NAME)
        self._has_socket = True
        if self._is_cut:
            raise CallError(NO_CONNECTION)
        if proxy is not None and proxy.place.scheme == "https":
            self._wrap(proxy.place.host, deadline, self._open_proxy_tls())
        if place.scheme == "https":
            if proxy is not None:
                self._tunnel(proxy, deadline)
            self._wrap(place.host, deadline, self._open_tls())

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
        received = AnswerReader(self._socket, deadline).read(verb, longest)
        self.was_used = True
        self.is_usable = self.is_usable and received.can_follow
        return received

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come on it since the last answer: what comes unasked must not pass for the next one."""
        plain = getattr(self._socket, "socket", self._socket)
        try:
            plain.settimeout(0)
            socket.socket.recv(plain, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def cut(self) -> None:
        """Let whoever waits for something on it, in another thread, find that it has ended."""
        self._is_cut = True
        if self._has_socket:
            with suppress(OSError):  # it has ended already
                socket.socket.shutdown(getattr(self._socket, "socket", self._socket), socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        if self._has_socket:
            self._socket.close()

    def _wrap(self, host: str, deadline: Deadline, context: ssl.SSLContext) -> None:
        try:
            self._socket.settimeout(deadline.left())
            if isinstance(self._socket, ssl.SSLSocket):
                from urllib3.util.ssltransport import SSLTransport  # noqa: PLC0415 - seldom needed

                self._socket = SSLTransport(self._socket, context, server_hostname=host)  # type: ignore[assignment]
            else:
                plain = self._socket
                self._socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
                if self._is_cut:
                    raise CallError(NO_CONNECTION)
                self._socket.do_handshake()
        except (OSError, ValueError) as error:
            raise connection_failure(error) from error

    def _tunnel(self, proxy: Address, deadline: Deadline) -> None:
        at = f"{self.place.host}:{self.place.port}" if ":" not in self.place.host else self.place.header
        headers = [f"Host: {at}"]
        if proxy.credentials:
            headers.append(f"Proxy-Authorization: {proxy.credentials}")
        self.send("CONNECT", at, headers, None, deadline)
        reader = AnswerReader(self._socket, deadline)
        if reader.head().status != HTTPStatus.OK or not reader.is_drained:
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
