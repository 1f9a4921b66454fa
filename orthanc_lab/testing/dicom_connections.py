"""What an association of pynetdicom needs to be quick and reliable, once its connection is open."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.events import Event

__all__ = ["prepare_connection"]

_LOOK = 0.005  # seconds


def prepare_connection(event: Event) -> None:
    """Send each fragment at once, and let nobody take the response to a message that is sent; for EVT_CONN_OPEN.

    By default a command waits 40 ms for the acknowledgement of the one before it.
    """
    event.assoc._reactor_checkpoint = _Checkpoint(event.assoc)
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _Checkpoint(threading.Event):
    """Where the thread of an association waits while another one sends a message and waits for the response.

    The sender clears the event, and goes on when the association says that it is paused. pynetdicom's thread says so
    before it looks at the event: if it has just passed, it takes the response as a request, and the sender waits in
    vain. Here it says so only while it waits.
    """

    def __init__(self, association: Association) -> None:
        super().__init__()
        self._association = association
        self.set()

    def clear(self) -> None:
        """Stop the thread; it is not paused before it says so again."""
        super().clear()
        if threading.current_thread() is not self._association:  # which sends, itself, what a C-GET has found
            self._association._is_paused = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the thread may go on, and say meanwhile that it is paused."""
        while not super().wait(_LOOK):
            self._association._is_paused = True
        return True
