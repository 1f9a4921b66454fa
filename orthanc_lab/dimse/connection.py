"""The TCP connection of an association, which stands before pynetdicom knows of it; it loads pynetdicom."""

from __future__ import annotations

import logging
import select
import socket
import ssl
import threading
import time
from contextlib import suppress

from pynetdicom.association import Association
from pynetdicom.transport import T_CONNECT, AssociationSocket

from orthanc_lab.dimse.pdu_reader import limit_socket

__all__ = ["CLOSED", "Connection"]

CLOSED = "Evt17"
"""The event of the state machine for the end of the connection."""

_log = logging.getLogger("orthanc_lab.dicom")


class Connection(AssociationSocket):
    """A connection that stands already.

    Parameters
    ----------
    association
        That it belongs to.
    connected
        The socket, encrypted if it has to be.
    patience
        Seconds for each write; None for no limit.
    """

    def __init__(self, association: Association, connected: socket.socket, patience: float | None) -> None:
        self._assoc = association
        self._tls_args = None
        self._ready = threading.Event()
        self._is_connected = association.is_acceptor
        self.select_timeout = 0.5
        self.socket = connected
        with suppress(OSError):  # a peer may be gone already
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(connected, ssl.SSLSocket):
                connected.settimeout(patience)
            else:
                connected.settimeout(None)
                limit_socket(connected, socket.SO_SNDTIMEO, patience)
        if association.is_acceptor:
            self.event_queue.put("Evt5")  # the connection is there

    def connect(self, primitive: T_CONNECT) -> None:
        """Confirm the connection to the state machine."""
        self._is_connected = True
        primitive.result = "Evt2"
        self.provider_queue.put(primitive)
        self._ready.set()

    def send(self, bytestream: bytes) -> None:
        """Send all of it; if that takes too long or fails, the connection is closed."""
        if self.socket is None:
            return
        try:
            self.socket.sendall(bytestream)
        except BlockingIOError:
            _log.warning("A DICOM peer takes nothing of what it is sent: the connection is closed")
            self.event_queue.put(CLOSED)
        except OSError as error:
            _log.warning("The connection to a DICOM peer failed: %s", error)
            self.event_queue.put(CLOSED)

    def has_some(self) -> bool:
        """Whether there is something to receive, or the end of the connection."""
        if self.socket is None:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def linger(self, patience: float) -> None:
        """Close the connection such that what was sent arrives: the peer may close it first."""
        sock, self.socket = self.socket, None
        self._is_connected = False
        if sock is None:
            return
        deadline = time.monotonic() + patience
        with sock, suppress(OSError, ValueError):
            sock.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                sock.settimeout(left)
                if not sock.recv(1 << 16):
                    break
