"""Ports of the loopback interface: finding a free one, checking whether one is in use."""

from __future__ import annotations

import socket

__all__ = ["free_port", "is_free", "is_listening"]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is currently free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether a TCP port of 127.0.0.1 accepts connections."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def is_free(port: int) -> bool:
    """Tell whether a server can listen on a TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
