"""``orthanc-lab lab`` as a person runs it: a child process whose output is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import requests

from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE
from orthanc_lab.testing.watching import Watcher

PROGRAM = [sys.executable, "-m", "orthanc_lab", "lab"]


class Lab:
    """A running lab.

    Attributes
    ----------
    folder
        The folder of the notebooks.
    output
        What it has written so far, line by line.
    session
        For requests to its JupyterLab.
    """

    def __init__(self, folder: Path, *arguments: str, program: list[str] = PROGRAM, **environment: str) -> None:
        self.output: list[str] = []
        self.session = requests.Session()
        self.folder = folder / "notebooks"
        home = folder / "home"
        home.mkdir(exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if name not in (VARIABLE, LAB_VARIABLE)}
        self._home = str(home)
        clean |= {"HOME": self._home, "IPYTHONDIR": str(home / "ipython"), **environment}
        words = [*program, "--no-browser", "--folder", str(self.folder), *arguments]
        self.process = subprocess.Popen(
            words, cwd=folder, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        self._watcher = Watcher('kill "$0"', str(self.process.pid))  # its JupyterLab ends with it

    def start(self) -> Lab:
        """Wait until both have said where they are."""
        self.orthanc = self.until("Orthanc:")
        address, _, query = self.until("JupyterLab:").partition("?")
        self.jupyter = address.partition("/lab")[0]
        self.token = query.removeprefix("token=")
        self.session.headers["Authorization"] = f"token {self.token}"
        self.note_descendants()
        return self

    def note_descendants(self) -> None:
        """Note the processes that are there now, for `left_over`."""
        self.descendants = psutil.Process(self.process.pid).children(recursive=True)

    def until(self, label: str) -> str:
        """Wait for a line that begins so; returns the rest of it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line.rstrip())
            if line.startswith(label):
                return line.removeprefix(label).strip()
        raise AssertionError("it ended early:\n" + "\n".join(self.output))

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        assert self.process.stdout is not None
        self.output += self.process.stdout.read().splitlines()
        return self.process.wait()

    def owns(self, process: psutil.Process) -> bool:
        """Tell whether a process is of this lab: it has the lab's home."""
        environment = process.info["environ"] or {}
        return environment.get("HOME") == self._home

    def left_over(self) -> list[psutil.Process]:
        """Return the processes it started that outlive it."""
        return psutil.wait_procs(self.descendants, timeout=20)[1]

    def kill(self) -> None:
        """Clean up after a test, also one that failed."""
        self.session.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._watcher.end()
        assert self.process.stdout is not None
        self.process.stdout.close()
