"""A server in its own process: started with a configuration, observed, stopped."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from orthanc_lab.bench.wire import Wire, http_request
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.watching import KILL, Watcher

__all__ = ["ServerError", "ServerProcess"]

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60.0  # seconds for a start or a stop


class ServerError(Exception):
    """A server that cannot be measured, with the reason."""


class ServerProcess:
    """One of the two servers; once it has answered, it ends with this process.

    Parameters
    ----------
    name
        Its name in the report.
    command
        The command line; ``{config}`` is replaced by the path of the configuration file.
    options
        Configuration options besides port and folders.

    Raises
    ------
    ServerError
        For a command line that cannot be split into words.
    """

    def __init__(self, name: str, command: str, options: dict[str, Any]) -> None:
        self.name = name
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ServerError(f"the command line of {name!r} cannot be read: {error}") from None
        if not words:
            raise ServerError(f"the command line of {name!r} is empty")
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="orthanc-bench-")
        root = Path(self._folder.name)
        configuration = {
            "HttpPort": self.port,
            "StorageDirectory": str(root / "storage"),
            "IndexDirectory": str(root / "storage"),
            "DicomServerEnabled": False,
            "DicomPort": free_port(),
            **options,
        }
        path = root / "configuration.json"
        path.write_text(json.dumps(configuration), encoding="utf-8")
        self._command = [part.replace("{config}", str(path)) for part in words]
        self._log = root / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: Watcher | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        """The folder of its configuration, log and storage."""
        return Path(self._folder.name)

    def start(self) -> float:
        """Start the process; returns the seconds until its first response.

        Raises
        ------
        ServerError
            If it cannot be started, ends at once, or does not answer.
        """
        began = time.perf_counter()
        with self._log.open("ab") as log:
            try:
                self._process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603 - the user's own command
            except OSError as error:
                raise ServerError(
                    f"the server {self.name!r} cannot be started: {self._command[0]}: {error.strerror}"
                ) from error
        request = http_request("GET", "/system")
        while time.perf_counter() - began < _PATIENCE:
            if self._process.poll() is not None:
                raise ServerError(
                    f"the server {self.name!r} exited at once with code {self._process.returncode}{self._tail()}"
                )
            wire = Wire(self.port)
            try:
                wire.send(request)
                seconds = time.perf_counter() - began
            except OSError:
                time.sleep(0.002)
            else:
                self._watcher = Watcher(KILL, str(self._process.pid), self.folder)
                return seconds
            finally:
                wire.close()
        raise ServerError(f"the server {self.name!r} does not answer after {_PATIENCE:.0f} s{self._tail()}")

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([":", *lines]) if lines else " and logged nothing"

    def stop(self) -> None:
        """Stop the process; its files are kept until `remove`."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._forget()

    def kill(self) -> None:
        """End the process at once, as ``kill -9`` does; its files stay."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._watcher is not None:
            self._watcher.end()
            self._watcher = None

    def remove(self) -> None:
        """Stop the process and remove its files."""
        self.stop()
        self._folder.cleanup()

    def cpu_seconds(self) -> float:
        """Return the user and system CPU time used by the process."""
        return sum(self.user_and_system_seconds())

    def user_and_system_seconds(self) -> tuple[float, float]:
        """Return the CPU time used by the process in its own code, and in the system."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / _TICKS, int(fields[12]) / _TICKS

    def thread_seconds(self) -> float:
        """Return the CPU time used by the threads that the process has now, to the nanosecond."""
        assert self._process is not None
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def memory_mb(self) -> float:
        """Return the resident memory in MiB."""
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0
