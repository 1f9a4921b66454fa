"""The DICOM server: listening sockets, and a thread for each association.

Waiting costs nothing, so an association that is silent holds a thread and a descriptor, no turn: the number of requests
that are answered at the same time is what ``DicomThreadsCount`` limits.
"""

from __future__ import annotations

import errno
import logging
import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from orthanc_lab.network.dispatch import Dispatch

__all__ = ["DicomServer"]

_log = logging.getLogger("orthanc_lab.dicom")
_MOST_ASSOCIATIONS = 1024
_SHARE_OF_FILES = 4  # of the descriptors that the process may have, one in so many is for associations
_SILENT_S = 0.25  # after which an association may lose its place to a new one
_HANDSHAKE_S = 30  # for TLS, where DicomScpTimeout sets no limit
_PAUSE_S = 0.1  # after a connection could not be accepted
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class _Guest(Protocol):
    """Who has a place."""

    @property
    def silent_since(self) -> float | None:
        """Since when the client is waited for; None while a request is answered."""
        ...

    def end(self) -> None:
        """Answer the request in progress and no other."""
        ...

    def cut(self) -> None:
        """End the connection at once."""
        ...


class _Handshake:
    """A client whose connection is being encrypted: it has a place, and sends nothing else meanwhile."""

    def __init__(self, client: ssl.SSLSocket) -> None:
        self._client = client
        self.silent_since: float | None = time.monotonic()

    def end(self) -> None:
        """End it at once: there is no request in progress."""
        self.cut()

    def cut(self) -> None:
        """End the connection at once; from another thread."""
        with suppress(OSError):  # not the method of a TLS socket, which would let the other thread read in clear
            socket.socket.shutdown(self._client, socket.SHUT_RDWR)


class DicomServer:
    """Accepts associations.

    Parameters
    ----------
    listeners
        The sockets, all on one port.
    dispatch
        What answers the requests.
    tls
        Encryption, if wanted.
    most
        Associations at a time. When all places are taken, the one that is silent for the longest time loses its own to
        the next.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        dispatch: Dispatch,
        *,
        tls: ssl.SSLContext | None = None,
        most: int = 0,
    ) -> None:
        self._listeners = listeners
        self._dispatch = dispatch
        self._tls = tls
        self._places = threading.BoundedSemaphore(most or _most_associations())
        self._changed = threading.Condition()
        self._guests: set[_Guest] = set()
        self._refusing = False
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        """The TCP port."""
        port: int = self._listeners[0].getsockname()[1]
        return port

    def start(self) -> None:
        """Accept associations; those that were requested before wait in the socket.

        Raises
        ------
        RuntimeError
            If the system has no thread left; `stop` releases the port.
        """
        for listener in self._listeners:
            thread = threading.Thread(target=self._accept, args=(listener,), name="orthanc-lab-dicom", daemon=True)
            thread.start()
            self._threads.append(thread)

    def serve_from_now(self, dispatch: Dispatch) -> None:
        """Answer the next requests by another assembly."""
        self._dispatch = dispatch

    def refuse(self) -> None:
        """Accept no further association."""
        self._refusing = True
        for listener in self._listeners:
            with suppress(OSError):  # it wakes the thread that waits
                listener.shutdown(socket.SHUT_RDWR)

    def stop(self, timeout: float = 3) -> None:
        """Let the requests in progress end, cut the associations, release the port."""
        self.refuse()
        with self._changed:
            for guest in self._guests:
                guest.end()
            if not self._changed.wait_for(lambda: not self._guests, timeout):
                for guest in self._guests:
                    guest.cut()
                self._changed.wait_for(lambda: not self._guests, timeout)
        for thread in self._threads:
            thread.join(timeout)
        for listener in self._listeners:
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._refusing:
            try:
                client, address = listener.accept()
            except OSError as error:
                if not self._refusing and error.errno in _SCARCE:
                    self._make_room()
                    time.sleep(_PAUSE_S)  # until a connection is closed
                continue
            while not self._places.acquire(timeout=_PAUSE_S):
                self._make_room()
            thread = threading.Thread(target=self._serve, args=(client, address), name="orthanc-lab-dicom", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                _log.warning("No further thread can be started for the DICOM server")
                client.close()
                self._places.release()

    def _make_room(self) -> None:
        """Cut the association that is silent for the longest time."""
        before = time.monotonic() - _SILENT_S
        with self._changed:
            silent = [(since, one) for one in self._guests if (since := one.silent_since) and since < before]
            if silent:
                _log.warning("There are too many associations: a silent one is cut")
                min(silent, key=lambda pair: pair[0])[1].cut()

    def _serve(self, client: socket.socket, address: tuple[str, int]) -> None:
        try:
            with client:
                self._serve_client(client, address)
        except OSError as error:
            _log.warning("The connection of %s failed: %s", address[0], error)
        except Exception as error:
            self._dispatch.services.report(error)
        finally:
            self._places.release()

    def _serve_client(self, client: socket.socket, address: tuple[str, int]) -> None:
        # The first association loads pynetdicom: 0.4 s and 20 MB that an idle server does without.
        from orthanc_lab.network.association import IncomingAssociation  # noqa: PLC0415

        try:
            connected = client if self._tls is None else self._encrypted(client, self._tls)
        except OSError as error:
            _log.warning("%s is no DICOM client over TLS: %s", address[0], error)
            return
        with connected:
            association = IncomingAssociation(connected, address, lambda: self._dispatch)
            with self._has_place(association):
                association.serve()

    def _encrypted(self, client: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        client.settimeout(self._dispatch.services.settings["DicomScpTimeout"] or _HANDSHAKE_S)
        encrypted = tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        try:
            with self._has_place(_Handshake(encrypted)):
                encrypted.do_handshake()
        except BaseException:
            encrypted.close()
            raise
        return encrypted

    @contextmanager
    def _has_place(self, guest: _Guest) -> Iterator[None]:
        """Let a client lose its place to others, and end when the server stops.

        Raises
        ------
        ConnectionAbortedError
            If it stops already.
        """
        with self._changed:
            if self._refusing:
                raise ConnectionAbortedError("the server is stopping")
            self._guests.add(guest)
        try:
            yield
        finally:
            with self._changed:
                self._guests.discard(guest)
                self._changed.notify_all()


def _most_associations() -> int:
    """Return how many associations leave enough file descriptors for the rest of the server."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MOST_ASSOCIATIONS
    return max(16, min(_MOST_ASSOCIATIONS, allowed // _SHARE_OF_FILES))
