"""The TCP connection of an association that we request, with TLS if the node wants it."""

from __future__ import annotations

import socket
import ssl
import threading

from pynetdicom.association import Association
from pynetdicom.transport import T_CONNECT, AssociationSocket

from orthanc_lab.dimse.modality import Modality

__all__ = ["ConnectedSocket", "dial"]


def dial(modality: Modality, timeout: float | None, tls: ssl.SSLContext | None) -> socket.socket:
    """Connect to a node.

    Parameters
    ----------
    timeout
        Seconds for the connection, and then for each read and write; None for no limit.

    Raises
    ------
    OSError
        If the node cannot be reached, or does not speak TLS.
    """
    connection = socket.create_connection((modality.host, modality.port), timeout)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection if tls is None else tls.wrap_socket(connection)
    except BaseException:
        connection.close()
        raise


class ConnectedSocket(AssociationSocket):
    """A connection that stands already: so the reason is known when it does not come about."""

    def __init__(self, association: Association, connection: socket.socket) -> None:
        self._assoc = association
        self._tls_args = None
        self._ready = threading.Event()
        self._is_connected = False
        self.socket = connection
        self.select_timeout = 0.5

    def connect(self, primitive: T_CONNECT) -> None:
        """Confirm the connection to the state machine."""
        self._is_connected = True
        primitive.result = "Evt2"
        self.provider_queue.put(primitive)
        self._ready.set()
