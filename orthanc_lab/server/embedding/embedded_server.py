"""A server in a thread of another program."""

from __future__ import annotations

import atexit
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orthanc_lab.rest.services import Services
from orthanc_lab.server.embedding.own_folder import OwnFolder
from orthanc_lab.server.embedding.restartable import Restartable, dicom_on_a_free_port
from orthanc_lab.server.embedding.sessions import session_of
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.lifecycle import Server
from orthanc_lab.server.log_lines import LogTail
from orthanc_lab.server.loopback import url_of
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["EmbeddedServer"]


class EmbeddedServer(Restartable):
    """A server in a thread of this program; made by `serve`.

    Attributes
    ----------
    url
        Where it serves, without a final slash.
    session
        A `requests.Session` with the credentials of the first registered user.
    folder
        Where its files are.
    errors
        The last errors inside the server that no client saw: their texts, with the traceback as a note.

    Examples
    --------
    >>> import orthanc_lab
    >>> server = orthanc_lab.serve(Name="Example")
    >>> server.is_running, server.settings["Name"]
    (True, 'Example')
    >>> server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).status_code
    200
    >>> server.renew()
    >>> server.session.get(f"{server.url}/instances").json()
    []
    >>> server.stop()
    >>> server.is_running
    False
    """

    def __init__(
        self, options: Mapping[str, Any], folder: Path | None, environment: Environment, load_jobs: bool
    ) -> None:
        self._own = OwnFolder(folder)
        self._generation = 0
        self.folder = folder or self._next_folder()
        free = {"HttpPort": 0, **dicom_on_a_free_port(options)}
        self._options = {**free, "StorageDirectory": str(self.folder), **options}
        self._server = Server(self._settings, environment, load_jobs=load_jobs)
        self._tail = LogTail()
        self._thread: threading.Thread | None = None
        try:
            self._start()
        except BaseException:
            self._tail.close()
            self._own.remove()
            raise
        self.errors = self._server.errors
        self.session = session_of(self.settings)
        atexit.register(self.stop)

    def _start(self) -> None:
        self._server.start()
        self._options["HttpPort"] = self._server.port
        self._options["DicomPort"] = self.dicom_port or self._options["DicomPort"]
        thread = threading.Thread(target=self._run, name="orthanc-lab-server", daemon=True)
        try:
            thread.start()
        except BaseException:
            self._server.stop()
            raise
        self._thread = thread

    def _run(self) -> None:
        try:
            self._server.run()
        except Exception as error:  # a reset that failed
            self._server.report(error)

    def _settings(self) -> CheckedSettings:
        return CheckedSettings(self._options, self.folder)

    @property
    def settings(self) -> CheckedSettings:
        """The settings in force."""
        assert self._server.settings is not None
        return self._server.settings

    @property
    def is_running(self) -> bool:
        """False after a stop, or after a client's ``/tools/shutdown``."""
        return self._server.assembly is not None

    def tail(self, lines: int = 200) -> list[str]:
        """Return the last lines of the log, which all servers of this program share."""
        return self._tail.lines(lines)

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._server.port

    @property
    def dicom_port(self) -> int:
        """The TCP port of DICOM; 0 if it is disabled."""
        return self._server.dicom_port

    @property
    def aet(self) -> str:
        """The title of its application entity, ``DicomAet``."""
        title: str = self.settings["DicomAet"]
        return title

    @property
    def url(self) -> str:
        """Where the server is, ``http://127.0.0.1:8042``."""
        return url_of(self.settings, self.port)

    @property
    def services(self) -> Services:
        """The parts inside: storage, jobs engine, metrics.

        Raises
        ------
        RuntimeError
            If the server has stopped.
        """
        assembly = self._server.assembly
        if assembly is None:
            raise RuntimeError("The server has stopped")
        return assembly.services

    def renew(self) -> None:
        """Forget everything: an empty storage, no jobs, fresh metrics, no errors. The port stays.

        Raises
        ------
        RuntimeError
            If the server has stopped. If the folder was given, or the index is in a database: what is there is not
            ours to remove.
        """
        if not self.is_running:
            raise RuntimeError("The server has stopped: only one that runs can be renewed")
        if self.settings["PostgreSQL"].get("EnableIndex"):
            raise RuntimeError("Only a server whose index is in its folder can be renewed")
        fresh = self._next_folder()
        self._server.replace(CheckedSettings({**self._options, "StorageDirectory": str(fresh)}, fresh))
        old, self.folder = self.folder, fresh
        self._options["StorageDirectory"] = str(fresh)
        shutil.rmtree(old)
        self.errors.clear()
        self.session.close()
        self.session = session_of(self.settings)

    def _next_folder(self) -> Path:
        if not self._own.is_temporary:
            raise RuntimeError("Only a server in a temporary folder can be renewed")
        self._generation += 1
        return self._own.path / f"storage-{self._generation}"

    def restart(self, options: Mapping[str, Any] | None = None) -> None:
        """Start (again) on the same folder and port; if it runs, it is stopped first.

        Parameters
        ----------
        options
            All options from now on; None for those that were given before.

        Raises
        ------
        OrthancError
            For options that are refused: then nothing has happened. For a port or a folder that is in use meanwhile.
        ValueError
            For another port or folder.
        TypeError
            For a name that is no option.
        """
        wanted = self._for_restart(self._options if options is None else options)
        CheckedSettings(wanted, self.folder)
        self.halt()
        self._options = wanted
        self._server.disregard()
        self._start()
        self.session.close()
        self.session = session_of(self.settings)

    def halt(self) -> None:
        """Finish what is in progress and stop serving; `restart` serves again."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None

    def stop(self) -> None:
        """Finish what is in progress and stop; a temporary folder is removed."""
        atexit.unregister(self.stop)
        self.halt()
        self._tail.close()
        self.session.close()
        self._own.remove()
