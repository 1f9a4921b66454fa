"""The real Orthanc as a process: on a free loopback port, with a folder that can be thrown away."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from orthanc_lab.testing.free_port import free_port, is_listening

__all__ = ["MISSING", "RealOrthanc", "find_program"]

MISSING = "the program Orthanc is not installed; on Debian and Ubuntu: apt-get install orthanc"

_START_SECONDS = 30.0


def find_program() -> str | None:
    """Return the path of the program ``Orthanc``, or None if it is not installed."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/local/bin")


class RealOrthanc:
    """A real Orthanc that runs while the ``with`` block does.

    It is killed at the end, not stopped: a stop takes the real server seconds, and its data
    go with the folder. Give `folder` to keep them, and call `stop` to end it in its own way.

    Parameters
    ----------
    folder
        Where index, files and configuration go; a temporary one if left out.
    arguments
        Arguments of the command line before the configuration file, such as ``--no-jobs``.
    **options
        Options of the configuration file. Port, folders and the DICOM server (off) have defaults.

    Raises
    ------
    FileNotFoundError
        The program is not installed; the message says how to install it.
    RuntimeError
        It refused to start; the message is its log.
    """

    def __init__(self, *, folder: Path | None = None, arguments: tuple[str, ...] = (), **options: Any) -> None:
        self._options = options
        self._arguments = arguments
        self._given = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.port = int(options.get("HttpPort", 0)) or free_port()
        self.url = f"{'https' if options.get('SslEnabled') else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> RealOrthanc:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What the server has written to its log so far."""
        return (self.folder / "log.txt").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start the process and wait until it accepts connections."""
        program = find_program()
        if program is None:
            raise FileNotFoundError(MISSING)
        self.folder = self._given or Path(tempfile.mkdtemp(prefix="real-orthanc-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = str(self.folder / "storage")
        defaults = {"StorageDirectory": storage, "IndexDirectory": storage, "DicomServerEnabled": False}
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps({**defaults, **self._options, "HttpPort": self.port}))
        self._log = (self.folder / "log.txt").open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - the program was found by its name, the rest is ours
            [program, *self._arguments, str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_it_listens(self._process)

    def stop(self) -> int:
        """End the server as SIGTERM does (a few seconds) and return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        code = self._process.wait(_START_SECONDS)
        self._forget()
        return code

    def kill(self) -> None:
        """End the server at once; a temporary folder is removed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_START_SECONDS)
        self._forget()

    def _forget(self) -> None:
        self._process = None
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
                raise RuntimeError(f"Orthanc ended with code {process.returncode} at its start:\n{log}")
            if time.monotonic() > deadline:
                log = self.log
                self.kill()
                raise RuntimeError(f"Orthanc does not listen on port {self.port} after {_START_SECONDS:.0f} s:\n{log}")
            time.sleep(0.005)
