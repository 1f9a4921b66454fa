"""A server that runs elsewhere, used in place of one that is started here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.server.embedding.own_folder import Stoppable
from orthanc_lab.server.embedding.serve import serve

__all__ = ["LAB_VARIABLE", "VARIABLE", "RemoteServer", "open_server"]

VARIABLE = "ORTHANC_URL"
LAB_VARIABLE = "ORTHANC_LAB_URL"
"""The variable in which ``orthanc-lab lab`` passes the address of the server it has started."""


class RemoteServer(Stoppable):
    """An Orthanc that was started elsewhere, the real one or another orthanc-lab; made by `open_server`.

    Attributes
    ----------
    url
        Where it serves, without credentials and without a final slash.
    session
        A `requests.Session` with the credentials of the address.

    Raises
    ------
    ValueError
        If the address is not a valid URL.
    UnreachableError, UnauthorizedError, NotOrthancError
        If there is no Orthanc at the address, or it refuses the credentials.

    Examples
    --------
    >>> import orthanc_lab
    >>> with orthanc_lab.serve() as running, RemoteServer(running.url) as server:
    ...     server.session.get(f"{server.url}/studies").json()
    []
    """

    def __init__(self, address: str) -> None:
        transport = Transport(address)
        transport.get("/system")
        self.url = transport.url
        self.session = transport.session

    def __repr__(self) -> str:
        return f"<Orthanc at {self.url}, started elsewhere>"

    def stop(self) -> None:
        """Close the connections; the server keeps running."""
        self.session.close()


def open_server(
    options: Mapping[str, Any] | None = None,
    *,
    shared: bool = False,
    seed: int | None = None,
    clock: Clock | None = None,
    **named: Any,
) -> EmbeddedServer | RemoteServer:
    """Start a server, or use the one that the environment variable ``ORTHANC_URL`` names.

    It lets one notebook run on a server of its own and, unchanged, on a real Orthanc:
    ``ORTHANC_URL=http://orthanc:orthanc@localhost:8042 jupyter lab``.

    Parameters
    ----------
    shared
        Whether a notebook in ``orthanc-lab lab`` uses the server that was started there, with what it holds.
    options, **named, seed, clock
        As those of `serve`. A server that runs already keeps its own.

    Examples
    --------
    >>> with open_server(Name="Lesson") as server:
    ...     server.session.get(f"{server.url}/system").json()["Name"]
    'Lesson'
    """
    address = os.environ.get(VARIABLE) or (os.environ.get(LAB_VARIABLE) if shared else None)
    if address:
        return RemoteServer(address)
    return serve(options, process=False, seed=seed, clock=clock, **named)
