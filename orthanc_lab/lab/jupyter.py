"""JupyterLab as a child process, which ends with this program, however that ends."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from orthanc_lab.lab.events import Events, Happening

__all__ = ["READY", "Jupyter", "is_free", "missing_packages"]

READY = "orthanc-lab-ready "
_NEEDED = ("jupyterlab", "ipywidgets", "pandas", "matplotlib")
_PATIENCE_S = 20.0


def missing_packages() -> list[str]:
    """Return what the notebooks need and this environment lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Jupyter:
    """JupyterLab in a process and a process group of its own.

    Ctrl-C in the terminal reaches this program only, which ends JupyterLab by closing the pipe that is its
    standard input; so does the system when this program is killed.

    Parameters
    ----------
    folder
        What it opens.
    port
        None for 8888, or one of the next if that is taken.
    environment
        Variables that the notebooks see.
    """

    def __init__(
        self, folder: Path, port: int | None, environment: Mapping[str, str], *, browser: bool, events: Events
    ) -> None:
        self._events = events
        program = [sys.executable, "-m", "orthanc_lab.lab.jupyter_child"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*program, *_arguments(folder, port, browser=browser)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._watch, name="orthanc-lab-jupyter", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def _watch(self) -> None:
        process, is_ready = self._process, False
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(READY):
                is_ready = True
                self._events.happened(Happening.JUPYTER_READY, line.removeprefix(READY).strip())
            else:
                sys.stderr.write(line)
        code = process.wait()
        if not is_ready:
            self._events.happened(Happening.JUPYTER_ENDED, f"JupyterLab did not start (exit code {code}).")
        else:
            self._events.happened(Happening.JUPYTER_ENDED, f"JupyterLab ended with exit code {code}." if code else "")

    def end(self) -> None:
        """Let it shut its kernels down and end; after 20 s it is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _arguments(folder: Path, port: int | None, *, browser: bool) -> Sequence[str]:
    options = {
        "ServerApp.root_dir": str(folder),
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": str(browser),
        "Application.log_level": "ERROR",
        "KernelManager.transport_encryption": "auto",  # where Jupyter can: other users of the machine see nothing
    }
    if port is not None:
        options |= {"ServerApp.port": str(port), "ServerApp.port_retries": "0"}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["ServerApp.allow_root"] = "True"  # it listens on the loopback interface alone
    return [f"--{name}={value}" for name, value in options.items()]
