"""A server in a process of its own, which can be killed, and which ends with its parent."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.private_files import open_private_log, write_private_file
from orthanc_lab.server.embedding.own_folder import OwnFolder
from orthanc_lab.server.embedding.restartable import Restartable, dicom_on_a_free_port
from orthanc_lab.server.embedding.sessions import session_of
from orthanc_lab.server.loopback import free_port, url_of
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.opening import make_storage_folder

__all__ = ["ChildServer"]

_PATIENCE_S = 30.0
_LINE = 300  # bytes, more than an usual line of the log has


class ChildServer(Restartable):
    """A server in a child process; made by `orthanc_lab.serve` with ``process=True``.

    The child's standard input is a pipe from here: when this program ends, however it ends, the child
    sees the end of the pipe and stops.

    Attributes
    ----------
    session
        A `requests.Session` with the credentials of the first registered user.
    folder
        Where its files are.
    log
        The file of its log.
    dicom_port
        The TCP port of DICOM; 0 if it is disabled.

    Examples
    --------
    >>> import orthanc_lab
    >>> with orthanc_lab.serve(process=True) as server:
    ...     made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
    ...     server.kill()
    ...     server.restart()
    ...     server.session.get(f"{server.url}/instances").json() == [made["ID"]]
    True
    """

    def __init__(
        self, options: Mapping[str, Any], folder: Path | None, *, load_jobs: bool = True, seed: int | None = None
    ) -> None:
        self._own = OwnFolder(folder)
        self.folder = self._own.path
        make_storage_folder(self.folder)
        free = {"HttpPort": 0, **dicom_on_a_free_port(options)}
        self._options = {**free, "StorageDirectory": str(self.folder), **options}
        self._arguments = [] if load_jobs else ["--no-jobs"]
        self._arguments += [] if seed is None else [f"--seed={seed}"]
        self.log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.dicom_port = 0
        try:
            self.settings = CheckedSettings(self._options, self.folder)
            self.session = session_of(self.settings)
            self._choose_ports()
            self.restart()
        except BaseException:
            self._own.remove()
            raise
        atexit.register(self.stop)

    @property
    def port(self) -> int:
        """The TCP port; it stays the same across restarts."""
        port: int = self._options["HttpPort"]
        return port

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
    def pid(self) -> int:
        """Process number of the child.

        Raises
        ------
        RuntimeError
            If it does not run.
        """
        if self._process is None:
            raise RuntimeError("The server does not run")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        process = self._process
        return process is not None and process.poll() is None

    def tail(self, lines: int = 200) -> list[str]:
        """Return the last lines of the log."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - lines * _LINE))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]

    @property
    def errors(self) -> list[str]:
        """The lines of the log that report errors."""
        if not self.log.exists():
            return []
        return [line for line in self.log.read_text("utf-8", "replace").splitlines() if line.startswith("E")]

    def restart(self, options: Mapping[str, Any] | None = None) -> None:
        """Start the child (again) on the same folder and port; one that runs is stopped first.

        Parameters
        ----------
        options
            All options from now on; None for those that were given before.

        Raises
        ------
        OrthancError
            -1 with the last lines of the log if it does not start; another code for options that are refused.
        ValueError
            For another port or folder.
        TypeError
            For a name that is no option.
        RuntimeError
            After `stop`, if the folder was temporary.
        """
        if not self.folder.is_dir():
            raise RuntimeError("The server has stopped, and its temporary folder is removed: start another server")
        if options is not None:
            wanted = self._for_restart(options)
            self.settings = CheckedSettings(wanted, self.folder)
            self._options = wanted
            self.session.close()
            self.session = session_of(self.settings)
        self.halt()
        file = self.folder / "configuration.json"
        write_private_file(file, json.dumps(self._options).encode())
        command = [sys.executable, "-m", "orthanc_lab.server.child_main", *self._arguments, str(file)]
        with open_private_log(self.log) as log:
            process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C, or the interruption of a notebook, is not meant for the server
            )
        assert process.stdout is not None
        self._process = process
        word, *ports = process.stdout.readline().split() or [b""]
        if word != b"ports":
            self._end()
            tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-5:])
            raise OrthancError(ErrorCode.INTERNAL_ERROR, f"The server did not start:\n{tail}")
        self._options["HttpPort"] = int(ports[0])
        self.dicom_port = int(ports[1])
        self._options["DicomPort"] = self.dicom_port or self._options["DicomPort"]

    def kill(self) -> None:
        """End the child like ``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def halt(self) -> None:
        """Let the child finish what is in progress and end; `restart` serves again."""
        self._end()

    def stop(self) -> None:
        """Let the child finish what is in progress and end; a temporary folder is removed."""
        atexit.unregister(self.stop)
        self._end()
        self.session.close()
        self._own.remove()

    def _choose_ports(self) -> None:
        """Put ports in the place of 0 which nobody else is given while the child does not run."""
        for name, is_used in (("HttpPort", True), ("DicomPort", self.settings["DicomServerEnabled"])):
            if is_used:
                self._options[name] = self._options[name] or free_port()

    def _end(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()  # the child stops when its input ends
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
