"""One listening socket, with the threads that accept connections and serve them."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from orthanc_lab.server.listeners import cannot_listen

__all__ = ["Acceptor", "listen"]

_log = logging.getLogger("orthanc_lab.http")
_BACKLOG = 1024
_SPARE = 4  # threads that wait for a connection, at most
_PAUSE_S = 0.1  # after a connection could not be accepted
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Serve = Callable[[socket.socket, str, Callable[[], None]], None]


class Acceptor:
    """Threads that wait for connections; each serves the one that it accepts, on its own.

    Parameters
    ----------
    listener
        The socket.
    serve
        Called with a connection, the address of its client, and what is to be called once the connection has its
        place: from then on others are accepted.
    make_room
        Called when there is no descriptor for a connection.
    """

    def __init__(self, listener: socket.socket, serve: Serve, make_room: Callable[[], None]) -> None:
        self._socket = listener
        self._serve = serve
        self._make_room = make_room
        self._refusing = False
        self._changed = threading.Condition()
        self._waiting = 0  # threads that wait for a connection

    def start(self) -> None:
        """Accept connections; those that came before wait in the socket.

        Raises
        ------
        RuntimeError
            If the system has no thread left.
        """
        self._begin()

    def refuse(self) -> None:
        """Accept no further connection."""
        self._refusing = True
        with suppress(OSError):  # it wakes the threads that wait, where the system allows it
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self, timeout: float) -> None:
        """Release the address."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout)
        self._socket.close()

    def _go_on(self) -> None:
        """See to it that a thread waits for the next connection, as far as the system has one: else this one will."""
        try:
            self._begin()
        except RuntimeError:
            _log.warning("No further thread can be started for the HTTP server")

    def _begin(self) -> None:
        with self._changed:
            if not self._waiting and not self._refusing:
                threading.Thread(target=self._work, name="orthanc-lab-http", daemon=True).start()
                self._waiting += 1  # the thread cannot take a connection into account before

    def _work(self) -> None:
        """Accept connections and serve them, until enough other threads wait for one."""
        while (accepted := self._accept()) is not None:
            client, address = accepted
            try:
                with client:
                    self._serve(client, address, self._go_on)
            except Exception:
                _log.exception("A connection failed")
            with self._changed:
                if self._waiting >= _SPARE or self._refusing:
                    return
                self._waiting += 1

    def _accept(self) -> tuple[socket.socket, str] | None:
        while not self._refusing:
            try:
                client, address = self._socket.accept()
            except OSError as error:
                if not self._refusing and error.errno in _SCARCE:
                    self._make_room()
                    time.sleep(_PAUSE_S)  # until a connection is closed
                continue
            with self._changed:
                self._waiting -= 1
                if self._refusing:
                    self._changed.notify_all()
            return client, _plain(address[0])
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()
        return None


def _plain(address: str) -> str:
    """Return an IPv4 address as such, also where it came through a socket for both versions."""
    return address.removeprefix("::ffff:") if "." in address else address


def listen(address: str, port: int, timeout: float, *, no_delay: bool = True) -> socket.socket:
    """Return a socket that listens.

    Parameters
    ----------
    timeout
        Seconds after which a client that vanished is noticed.
    no_delay
        Whether small answers are sent at once.

    Raises
    ------
    OrthancError
        2003 if the port is in use or not allowed, or the address is none of this machine's.
    """
    listener = None
    try:
        version = ipaddress.ip_address(address).version
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if version == 6:  # else a second socket could not listen on the same port of 0.0.0.0
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":  # accepted sockets inherit all of these
            seconds = max(1, int(timeout))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // 3))
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeout * 1000))
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError, ValueError) as error:
        if listener is not None:
            listener.close()
        raise cannot_listen("HttpPort", address, port, error) from error
    return listener
