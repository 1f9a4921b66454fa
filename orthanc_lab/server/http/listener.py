"""The listener for HTTP: an HTTP server as the settings describe it."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.server.certificates import naming_option
from orthanc_lab.server.http.server import HttpServer, Tls

if TYPE_CHECKING:
    from orthanc_lab.server.assembly import Assembly

__all__ = ["HttpListener"]

_log = logging.getLogger("orthanc_lab")
_BAD_SSL = 39  # "Cannot initialize SSL encryption, check out your certificates"


class HttpListener:
    """Serves the REST API, unless ``HttpServerEnabled`` is false.

    Parameters
    ----------
    port
        Replaces ``HttpPort``.
    """

    def __init__(self, port: int | None = None) -> None:
        self._wanted_port = port
        self._http: HttpServer | None = None
        self.port = 0
        """The TCP port of the last start; later starts keep it."""

    def start(self, assembly: Assembly) -> None:
        """Listen and serve.

        Raises
        ------
        OrthancError
            2003 if the port is in use, 39 for certificates that cannot be used.
        """
        settings = assembly.services.settings
        if not settings["HttpServerEnabled"]:
            _log.warning("The HTTP server is disabled")
            return
        http = HttpServer(
            assembly.application,
            addresses=_addresses(settings),
            port=settings["HttpPort"] if self._wanted_port is None else self._wanted_port,
            request_timeout=settings["HttpRequestTimeout"],
            keep_alive=settings["KeepAliveTimeout"] if settings["KeepAlive"] else 0,
            connections_of_address=settings["HttpConnectionsPerAddress"],
            no_delay=settings["TcpNoDelay"],
            tls=_tls(settings),
        )
        self._http = http
        http.start()
        self.port = self._wanted_port = http.port
        settings.change("HttpPort", http.port)
        _log.warning(
            "HTTP server listening on port: %d (HTTPS encryption is %s, remote access is %s)",
            http.port,
            "enabled" if settings["SslEnabled"] else "disabled",
            "allowed" if settings["RemoteAccessAllowed"] else "not allowed",
        )

    def replace(self, assembly: Assembly) -> None:
        """Let another application answer from now on."""
        if self._http is not None:
            assembly.services.settings.change("HttpPort", self.port)
            self._http.serve_from_now(assembly.application)

    def refuse(self) -> None:
        """Stop listening; requests in progress continue."""
        if self._http is not None:
            self._http.refuse()

    def stop(self) -> None:
        """Let requests in progress end, and release the port."""
        http, self._http = self._http, None
        if http is not None:
            http.stop()


def _addresses(settings: Settings) -> list[str]:
    chosen: list[str] = settings["HttpBindAddresses"]
    if chosen:
        return chosen
    return ["0.0.0.0" if settings["RemoteAccessAllowed"] else "127.0.0.1"]  # noqa: S104 - what the option is for


def _tls(settings: Settings) -> Tls | None:
    if not settings["SslEnabled"]:
        return None
    certificate = Path(settings["SslCertificate"])
    trusted = Path(settings["SslTrustedClientCertificates"]) if settings["SslVerifyPeers"] else None
    ciphers = ":".join(settings["SslCiphersAccepted"] or [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        with naming_option("SslCertificate", certificate):
            context.load_cert_chain(certificate)
        if trusted is not None:
            with naming_option("SslTrustedClientCertificates", trusted):
                context.load_verify_locations(trusted)
        if ciphers:
            with naming_option("SslCiphersAccepted", ciphers):
                context.set_ciphers(ciphers)
    except OSError as error:
        raise OrthancError(_BAD_SSL, str(error)) from error
    return Tls(certificate, "tls1.3" if settings["SslMinimumProtocolVersion"] >= 5 else "tls1.2", trusted, ciphers)
