"""A server from its start to its end, with resets in between."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from enum import Enum

from orthanc_lab.server.assembly import Assembly, assemble
from orthanc_lab.server.dicom_listener import DicomListener
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.http.listener import HttpListener
from orthanc_lab.server.listeners import Listener
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.server.reported_errors import keep_error

__all__ = ["Ending", "Server"]

_log = logging.getLogger("orthanc_lab")
_LOOK_FOR_SIGNALS_S = 0.5


class Ending(Enum):
    """What the server was asked to do."""

    SHUTDOWN = "end"
    RESET = "start again with the configuration read anew"


class Server:
    """A server with its listeners; also the `Control` that its resources are given.

    Parameters
    ----------
    load
        Reads the settings; called at each start.
    port
        Replaces ``HttpPort``.
    listeners
        Further ways in, beside HTTP and DICOM.
    """

    def __init__(
        self,
        load: Callable[[], CheckedSettings],
        environment: Environment | None = None,
        *,
        load_jobs: bool = True,
        port: int | None = None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._load = load
        self._environment = environment or Environment.of_system()
        self._load_jobs = load_jobs
        self._http = HttpListener(port)
        self._dicom = DicomListener()
        self._listeners: tuple[Listener, ...] = (self._http, self._dicom, *listeners)
        # Not an Event: a handler of signals that sets it may meet its own thread inside of the Event's lock.
        self._asked: queue.SimpleQueue[Ending] = queue.SimpleQueue()
        self.assembly: Assembly | None = None
        self.settings: CheckedSettings | None = None
        self.errors: list[BaseException] = []

    # -- life ----------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The TCP port of the REST API; 0 before the first start."""
        return self._http.port

    @property
    def dicom_port(self) -> int:
        """The TCP port of the DICOM server; 0 if it is disabled, or before the first start."""
        return self._dicom.port

    def start(self) -> None:
        """Start serving; clients can connect when this returns.

        Raises
        ------
        OrthancError
            For settings that are refused, an index in use, a port in use (2003, 2004).
        """
        settings = self._load()
        for warning in settings.warnings:
            _log.warning(warning)
        assembly = assemble(settings, self, self._environment, load_jobs=self._load_jobs)
        try:
            for listener in self._listeners:
                listener.start(assembly)
            # Nearly every request needs this, but not those by which clients find out that the server is there.
            assembly.rest.make_ready()
        except BaseException:
            self._end(assembly)
            raise
        self.settings, self.assembly = settings, assembly
        _log.warning("Orthanc has started")

    def stop(self) -> None:
        """Finish what is in progress, and release the ports and the index."""
        assembly, self.assembly = self.assembly, None
        if assembly is not None:
            self._end(assembly)
            _log.warning("Orthanc has stopped")

    def _end(self, assembly: Assembly) -> None:
        with ExitStack() as steps:  # the last one is done first, and each of them whatever becomes of the others
            steps.callback(assembly.close)
            for listener in reversed(self._listeners):
                steps.callback(listener.stop)
            steps.callback(assembly.finish_jobs)
            for listener in reversed(self._listeners):
                steps.callback(listener.refuse)

    def replace(self, settings: CheckedSettings) -> None:
        """Serve other settings and another folder at the same addresses, without a gap."""
        old, self.assembly = self.assembly, assemble(settings, self, self._environment, load_jobs=self._load_jobs)
        self.assembly.rest.make_ready()
        self.settings = settings
        for listener in self._listeners:
            listener.replace(self.assembly)
        if old is not None:
            old.close()

    def run(self) -> None:
        """Serve until a shutdown is asked for; a reset starts again at the same addresses."""
        while self.wait() is Ending.RESET:
            self.stop()
            self.start()
        self.stop()

    def wait(self) -> Ending:
        """Wait for a request to shut down or to reset."""
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
        """Request a restart; returns at once."""
        self._asked.put(Ending.RESET)

    def shutdown(self) -> None:
        """Request a shutdown; returns at once."""
        self._asked.put(Ending.SHUTDOWN)

    def disregard(self) -> None:
        """Forget requests to a server that is not running."""
        while not self._asked.empty():
            self._asked.get()

    def report(self, error: BaseException) -> None:
        """Log an error of the server, and keep its words for the test harness."""
        _log.error("Internal error of the server", exc_info=error)
        keep_error(self.errors, error)
