"""How a thread that waits for a node is made to wait no longer, by another thread."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

__all__ = ["Interruption"]


class Interruption:
    """Cuts the connection that somebody waits on, from its first byte to its last, and those that follow.

    Attributes
    ----------
    is_cut
        Whether that has happened: what fails from now on says nothing of the node.
    """

    def __init__(self) -> None:
        self.is_cut = False
        self._lock = threading.Lock()
        self._connected: socket.socket | None = None

    def watch(self, connected: socket.socket) -> None:
        """Cut this connection when the time comes; it takes the place of the one before."""
        with self._lock:
            self._connected = connected
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """Cut it: whoever waits for a message learns that the association ended."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._connected is not None:
            with suppress(OSError):  # it has ended by itself
                # Not the method of a TLS socket, which would let the other thread read in clear.
                socket.socket.shutdown(self._connected, socket.SHUT_RDWR)
