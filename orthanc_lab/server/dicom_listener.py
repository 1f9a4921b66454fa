"""The listener for DICOM over TCP: a DICOM server as the settings describe it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING

from orthanc_lab.server.listeners import cannot_listen

if TYPE_CHECKING:
    from orthanc_lab.network.dispatch import Dispatch
    from orthanc_lab.network.server import DicomServer
    from orthanc_lab.server.assembly import Assembly

__all__ = ["DicomListener"]

_log = logging.getLogger("orthanc_lab")
_BACKLOG = 1024
_RISKS = ("Find", "Get", "Move")
_EVERYWHERE = ["0.0.0.0"]  # noqa: S104 - as Orthanc does: other machines are what it is for


class DicomListener:
    """Serves DICOM over TCP, unless ``DicomServerEnabled`` is false."""

    def __init__(self) -> None:
        self._server: DicomServer | None = None
        self._wanted_port: int | None = None
        self.port = 0
        """The TCP port of the last start; later starts keep it."""

    def start(self, assembly: Assembly) -> None:
        """Listen and serve.

        Raises
        ------
        OrthancError
            2004 if the port is in use; 3, 13, 15 for encryption that cannot be set up.
        """
        settings = assembly.services.settings
        if not settings["DicomServerEnabled"]:
            _log.warning("The DICOM server is disabled")
            return
        if find_spec("pynetdicom") is None:
            _log.warning("There is no DICOM server without pynetdicom: pip install 'orthanc-lab[network]'")
            return
        from orthanc_lab.network.server import DicomServer  # noqa: PLC0415 - so that a server without starts sooner
        from orthanc_lab.server.dicom_tls import server_context  # noqa: PLC0415

        tls = server_context(assembly.services.dicom.tls)
        port = settings["DicomPort"] if self._wanted_port is None else self._wanted_port
        listeners = _listen(settings["DicomBindAddresses"] or _EVERYWHERE, port)
        self._server = DicomServer(listeners, _dispatch(assembly), tls=tls)
        self.port = self._wanted_port = self._server.port
        settings.change("DicomPort", self.port)
        self._server.start()
        for what in _RISKS:
            if settings[f"DicomAlwaysAllow{what}"]:
                _log.warning(
                    "Security risk in DICOM SCP: C-%s requests are always allowed, even from unknown modalities",
                    what.upper(),
                )
        _log.warning(
            "DICOM server listening with AET %s on port: %d (TLS encryption is %s)",
            settings["DicomAet"],
            self.port,
            "enabled" if tls else "disabled",
        )

    def replace(self, assembly: Assembly) -> None:
        """Let another assembly answer from now on."""
        if self._server is not None:
            assembly.services.settings.change("DicomPort", self.port)
            self._server.serve_from_now(_dispatch(assembly))

    def refuse(self) -> None:
        """Accept no further association."""
        if self._server is not None:
            self._server.refuse()

    def stop(self) -> None:
        """Let requests in progress end, and release the port."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()


def _dispatch(assembly: Assembly) -> Dispatch:
    from orthanc_lab.network.dispatch import Dispatch  # noqa: PLC0415 - as above
    from orthanc_lab.network.services import NetworkServices  # noqa: PLC0415

    services = assembly.services
    make = assembly.environment.dispatch or Dispatch
    return make(
        NetworkServices(
            services.settings,
            services.dictionary,
            services.storage,
            services.engine,
            services.job_tools,
            services.modalities,
            services.dicom,
            services.metrics,
            services.clock,
            services.identifiers,
            services.executor,
            services.control.report,
            services.memory,
        )
    )


def _listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    try:
        for address in addresses:
            listeners.append(_listener(address, port))
            port = listeners[0].getsockname()[1]
    except (OSError, OverflowError, ValueError) as error:
        for listener in listeners:
            listener.close()
        raise cannot_listen("DicomPort", address, port, error) from error
    return listeners


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
