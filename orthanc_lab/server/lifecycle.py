"""A server from its start to its end, with resets in between."""

from __future__ import annotations

import logging
import queue
import ssl
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.assembly import Assembly, Environment, assemble
from orthanc_lab.server.http.server import HttpServer, Tls
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["Ending", "Server"]

_log = logging.getLogger("orthanc_lab")
_BAD_SSL = 39  # "Cannot initialize SSL encryption, check out your certificates"
_LOOK_FOR_SIGNALS_S = 0.5


class Ending(Enum):
    """What was asked of the server."""

    SHUTDOWN = "end"
    RESET = "start again with the configuration read anew"


class Server:
    """The server behind its socket; also the `Control` that its resources are given.

    Parameters
    ----------
    load
        Reads the settings; called at each start.
    port
        Replaces ``HttpPort``.
    """

    def __init__(
        self,
        load: Callable[[], CheckedSettings],
        environment: Environment | None = None,
        *,
        load_jobs: bool = True,
        port: int | None = None,
    ) -> None:
        self._load = load
        self._environment = environment or Environment.of_system()
        self._load_jobs = load_jobs
        self._wanted_port = port
        self._http: HttpServer | None = None
        # Not an Event: a handler of signals that sets it may meet its own thread inside of the Event's lock.
        self._asked: queue.SimpleQueue[Ending] = queue.SimpleQueue()
        self.assembly: Assembly | None = None
        self.settings: CheckedSettings | None = None
        self.port = 0
        self.errors: list[BaseException] = []

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Start serving; the socket listens when this returns.

        Raises
        ------
        OrthancError
            For settings that are refused, an index in use, a port in use (2003).
        """
        settings = self._load()
        for warning in settings.warnings:
            _log.warning(warning)
        assembly = assemble(settings, self, self._environment, load_jobs=self._load_jobs)
        try:
            http = self._listen(settings, assembly)
        except BaseException:
            assembly.close()
            raise
        self.settings, self.assembly, self._http = settings, assembly, http
        _log.warning("Orthanc has started")

    def _listen(self, settings: CheckedSettings, assembly: Assembly) -> HttpServer | None:
        if not settings["HttpServerEnabled"]:
            _log.warning("The HTTP server is disabled")
            return None
        port = settings["HttpPort"] if self._wanted_port is None else self._wanted_port
        remote = settings["RemoteAccessAllowed"]
        http = HttpServer(
            assembly.application,
            address="0.0.0.0" if remote else "127.0.0.1",  # noqa: S104 - what the option is for
            port=port,
            request_timeout=settings["HttpRequestTimeout"],
            keep_alive=settings["KeepAlive"],
            tls=_tls(settings),
        )
        http.start()
        self.port = self._wanted_port = http.port
        settings.change("HttpPort", http.port)
        _log.warning(
            "HTTP server listening on port: %d (HTTPS encryption is %s, remote access is %s)",
            http.port,
            "enabled" if settings["SslEnabled"] else "disabled",
            "allowed" if remote else "not allowed",
        )
        return http

    def stop(self) -> None:
        """Finish what is in work, and free the port and the index."""
        assembly, http = self.assembly, self._http
        self.assembly = self._http = None
        if http is not None:
            http.refuse()
        if assembly is not None:
            assembly.finish_jobs()
        if http is not None:
            http.stop()
        if assembly is not None:
            assembly.close()
            _log.warning("Orthanc has stopped")

    def replace(self, settings: CheckedSettings) -> None:
        """Serve other settings and another folder on the same socket, without a gap."""
        assert self._http is not None
        old, self.assembly = self.assembly, assemble(settings, self, self._environment, load_jobs=self._load_jobs)
        self.settings = settings
        settings.change("HttpPort", self.port)
        self._http.serve_from_now(self.assembly.application)
        if old is not None:
            old.close()

    def run(self) -> None:
        """Serve until a shutdown is asked for; a reset starts again on the same port."""
        while self.wait() is Ending.RESET:
            self.stop()
            self.start()
        self.stop()

    def wait(self) -> Ending:
        """Wait until somebody asks for the end or a reset."""
        while True:
            # With a timeout: a signal that comes just before this wait does not end it, and its handler runs
            # only in this thread.
            with suppress(queue.Empty):
                ending = self._asked.get(timeout=_LOOK_FOR_SIGNALS_S)
                while not self._asked.empty():
                    ending = self._asked.get()
                return ending

    # -- control -------------------------------------------------------------------

    def reset(self) -> None:
        """Ask for a new start; returns at once."""
        self._asked.put(Ending.RESET)

    def shutdown(self) -> None:
        """Ask for the end; returns at once."""
        self._asked.put(Ending.SHUTDOWN)

    def disregard(self) -> None:
        """Forget what was asked of a server that does not run."""
        while not self._asked.empty():
            self._asked.get()

    def report(self, error: BaseException) -> None:
        """Log an error of the server and keep it for the test harness."""
        _log.error("An error inside of the server", exc_info=error)
        self.errors.append(error)


def _tls(settings: CheckedSettings) -> Tls | None:
    if not settings["SslEnabled"]:
        return None
    certificate = Path(settings["SslCertificate"])
    trusted = Path(settings["SslTrustedClientCertificates"]) if settings["SslVerifyPeers"] else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate)
        if trusted is not None:
            context.load_verify_locations(trusted)
    except OSError as error:  # also what OpenSSL says
        raise OrthancError(_BAD_SSL, str(error)) from error
    return Tls(certificate, "tls1.3" if settings["SslMinimumProtocolVersion"] >= 5 else "tls1.2", trusted)
