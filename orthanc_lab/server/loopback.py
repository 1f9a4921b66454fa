"""Reaching servers on this machine: their addresses, ports that are free, ports that are in use."""

from __future__ import annotations

import itertools
import random
import socket

from orthanc_lab.protocol.ports import Settings

__all__ = ["free_port", "is_free", "is_listening", "url_of"]

_HERE = "127.0.0.1"
_PORTS = range(20_000, 32_768)
_turn = itertools.count(random.SystemRandom().randrange(1 << 30), 4099)  # a prime: no port comes twice in a row
_EVERYWHERE = {"0.0.0.0": _HERE, "::": "::1"}  # noqa: S104 - addresses to compare with


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is currently free.

    The system hands it out to nobody before it is used: it is below the ports that systems give to connections.

    Raises
    ------
    OSError
        If none was found.
    """
    for _ in _PORTS:
        port = _PORTS[next(_turn) % len(_PORTS)]
        if is_free(port):
            return port
    raise OSError("No TCP port is free on this machine between 20000 and 32767")


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
