"""The real Orthanc as a process: on a free port of the loopback interface, by default with a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.testing.watching import KILL, Watcher

__all__ = ["MISSING", "RealOrthanc", "find_program"]

MISSING = "the program Orthanc is not installed; on Debian and Ubuntu: apt-get install orthanc"

_START_SECONDS = 30.0


def find_program() -> str | None:
    """Return the path of the program ``Orthanc``, or None if it is not installed."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/local/bin")


class RealOrthanc:
    """A real Orthanc that runs for the duration of a ``with`` block.

    At the end it is killed, because a proper stop takes several seconds, and its folder is removed; also if this
    process is killed. Pass `folder` to keep the data, and call `stop` to stop it properly.

    Parameters
    ----------
    folder
        Folder for the index, the files and the configuration; a temporary one if omitted.
    program
        Path of the program, if it is not to be searched for.
    arguments
        Command-line arguments before the configuration file, such as ``--no-jobs``.
    **options
        Configuration options. Ports, folders and the DICOM server (off) have defaults.

    Attributes
    ----------
    port, url
        Where it serves HTTP.
    dicom_port
        Port of the DICOM server, 0 if it is off.

    Raises
    ------
    FileNotFoundError
        If the program is not installed; the message says how to install it.
    RuntimeError
        If it did not start; the message contains its log.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        program: str | None = None,
        arguments: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self._options = options
        self._program = program
        self._arguments = arguments
        self._given = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: Watcher | None = None
        self._log: IO[bytes] | None = None
        self.port = int(options.get("HttpPort", 0)) or free_port()
        self.dicom_port = (options.get("DicomPort") or free_port()) if options.get("DicomServerEnabled") else 0
        self.url = f"{'https' if options.get('SslEnabled') else 'http'}://127.0.0.1:{self.port}"

    def __repr__(self) -> str:
        return f"<RealOrthanc at {self.url}>"

    def __enter__(self) -> RealOrthanc:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """The server's log so far."""
        return (self.folder / "log.txt").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start the process and wait until it accepts connections."""
        program = self._program or find_program()
        if program is None:
            raise FileNotFoundError(MISSING)
        self.folder = self._given or Path(tempfile.mkdtemp(prefix="real-orthanc-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = str(self.folder / "storage")
        defaults = {"StorageDirectory": storage, "IndexDirectory": storage, "DicomServerEnabled": False}
        ports = {"HttpPort": self.port} | ({"DicomPort": self.dicom_port} if self.dicom_port else {})
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps({**defaults, **self._options, **ports}, default=os.fspath))
        self._log = (self.folder / "log.txt").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - the program was found by its name or given, the rest is ours
            [program, *self._arguments, str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._watcher = Watcher(KILL, str(self._process.pid), *([] if self._given else [self.folder]))
        self._wait_until_it_listens(self._process)

    def stop(self) -> int:
        """Stop the server with SIGTERM, which takes a few seconds, and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        code = self._process.wait(_START_SECONDS)
        self._forget()
        return code

    def kill(self) -> None:
        """Kill the server; a temporary folder is removed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_START_SECONDS)
        self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._watcher is not None:
            self._watcher.end()
            self._watcher = None
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._given is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not is_listening(self.port):
            if process.poll() is not None:
                log = self.log
                self._forget()
                raise RuntimeError(f"Orthanc exited with code {process.returncode} during its start:\n{log}")
            if time.monotonic() > deadline:
                log = self.log
                self.kill()
                raise RuntimeError(f"Orthanc is not listening on port {self.port} after {_START_SECONDS:.0f} s:\n{log}")
            time.sleep(0.005)
