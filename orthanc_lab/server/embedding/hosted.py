"""The server inside of another WSGI server: storage, jobs and DICOM are ours, HTTP is the other's."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.lifecycle import Ending, Server
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.names import check_names, warnings_of_names
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["HostedApplication", "application"]

_log = logging.getLogger("orthanc_lab")
_ONE_PROCESS = (
    "One process serves a folder: let the WSGI server have one process with threads, and make the application in it, "
    "not before it forks"
)
_MAY_BE_ABSENT = ("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR")  # by PEP 3333; no address is none of this machine
_AWAY = b'{"Message": "The server has stopped, or is about to start again"}'


def application(configuration: str | Path | Mapping[str, Any] | None = None, **options: Any) -> HostedApplication:
    """Start a server without a socket for HTTP, for another WSGI server to serve.

    One process serves a folder, with as many threads as you like. TLS, addresses, ports and time-outs of HTTP are the
    other server's; passwords, permissions and all other options are Orthanc's.

    Parameters
    ----------
    configuration
        A configuration file of Orthanc, a folder of them, or options; the defaults, if omitted.
    **options
        Further options, which replace those of the configuration.

    Raises
    ------
    OrthancError
        For settings that are refused, and 11 if another process serves the folder.
    TypeError
        For a name that is no option, unless it stands in a file.

    Examples
    --------
    >>> from orthanc_lab.wsgi import application
    >>> app = application({"StorageDirectory": "storage", "DicomServerEnabled": False})
    >>> app.close()
    """

    def load() -> CheckedSettings:
        if configuration is None or isinstance(configuration, (str, Path)):
            read = read_configuration(None if configuration is None else Path(configuration))
            values, folder = read.values, read.folder
            for warning in warnings_of_names(values):
                _log.warning("%s", warning)
            check_names(options)
        else:
            values, folder = configuration, Path.cwd()
            check_names({**values, **options})
        return CheckedSettings({**values, **options, "HttpServerEnabled": False}, folder)

    return HostedApplication(load)


class HostedApplication:
    """A WSGI application with a server behind it, which ends with `close`, or with the process.

    ``/tools/reset`` starts it again; after ``/tools/shutdown`` it answers 503 until the WSGI server ends.
    """

    def __init__(self, load: Callable[[], CheckedSettings]) -> None:
        self._process = os.getpid()
        self._server = Server(load, Environment.of_system())
        try:
            self._server.start()
        except OrthancError as error:
            if "already in use" in error.details:
                error.add_note(_ONE_PROCESS)
            raise
        self._thread = threading.Thread(target=self._watch, name="orthanc-lab", daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self._server.stop()
            raise
        atexit.register(self.close)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request.

        Raises
        ------
        RuntimeError
            In another process than the one that made the application.
        """
        if os.getpid() != self._process:
            raise RuntimeError(_ONE_PROCESS)
        assembly = self._server.assembly
        if assembly is None:
            start_response(
                "503 Service Unavailable",
                [("Content-Type", "application/json"), ("Content-Length", str(len(_AWAY))), ("Retry-After", "1")],
            )
            return [_AWAY]
        for name in _MAY_BE_ABSENT:
            environ.setdefault(name, "")
        return assembly.application(environ, start_response)

    def close(self) -> None:
        """Finish the current steps of jobs, and close the storage; a second time does no harm."""
        atexit.unregister(self.close)
        if os.getpid() == self._process:
            self._server.shutdown()
            self._thread.join()

    def _watch(self) -> None:
        try:
            while self._server.wait() is Ending.RESET:
                self._server.stop()
                self._server.start()
        except OrthancError as error:  # the configuration is another one now
            _log.error("The server cannot start again: %s: %s", error.text, error.details)
        finally:
            self._server.stop()
