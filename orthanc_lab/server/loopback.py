"""Reaching servers on this machine: their addresses, ports that are free, ports that are in use."""

from __future__ import annotations

import socket

from orthanc_lab.protocol.ports import Settings

__all__ = ["free_port", "is_free", "is_listening", "url_of"]

_HERE = "127.0.0.1"
_EVERYWHERE = {"0.0.0.0": _HERE, "::": "::1"}  # noqa: S104 - addresses to compare with


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


def url_of(settings: Settings, port: int) -> str:
    """Return where a program of this machine reaches a server, without a final slash.

    Parameters
    ----------
    settings
        Of the server.
    port
        On which it listens.
    """
    addresses = [_EVERYWHERE.get(address, address) for address in settings["HttpBindAddresses"]]
    address = addresses[0] if addresses and _HERE not in addresses else _HERE
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if settings['SslEnabled'] else 'http'}://{host}:{port}"
