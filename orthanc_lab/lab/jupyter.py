"""JupyterLab as a child process that stops when this program stops, for whatever reason."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from orthanc_lab.lab.events import Events, Happening

__all__ = ["READY", "Jupyter", "missing_packages"]

READY = "orthanc-lab-ready "
_NEEDED = ("jupyterlab", "ipywidgets", "pandas", "matplotlib")
_PATIENCE_S = 20.0


def missing_packages() -> list[str]:
    """Return the packages that the notebooks need and this environment lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


class Jupyter:
    """JupyterLab in its own process and process group.

    Ctrl-C in the terminal reaches only this program, which stops JupyterLab by closing the pipe to its standard
    input; the operating system does the same if this program is killed.

    Parameters
    ----------
    folder
        The folder to open.
    port
        None for 8888, or one of the next if that is in use.
    environment
        Environment variables for the notebooks.
    browser
        Whether to open a browser.
    notebook
        The notebook to open in it; None for the launcher.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None,
        environment: Mapping[str, str],
        *,
        browser: bool,
        notebook: str | None,
        events: Events,
    ) -> None:
        self._events = events
        program = [sys.executable, "-m", "orthanc_lab.lab.jupyter_child"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*program, *_arguments(folder, port, notebook, browser=browser)],
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
        """Its process identifier."""
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
            self._events.happened(Happening.JUPYTER_ENDED, f"JupyterLab exited with code {code}." if code else "")

    def end(self) -> None:
        """Shut it down with its kernels; kill it after 20 s."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _arguments(folder: Path, port: int | None, notebook: str | None, *, browser: bool) -> Sequence[str]:
    options = {
        "ServerApp.root_dir": str(folder),
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.open_browser": str(browser),
        "Application.log_level": "ERROR",
        "LabApp.expose_app_in_browser": "True",  # for "Insert as cell" of the panels
        "KernelManager.transport_encryption": "auto",  # if supported: hides traffic from other users of the machine
    }
    if notebook is not None:
        options["LabApp.default_url"] = f"/lab/tree/{notebook}"
    if port is not None:
        options |= {"ServerApp.port": str(port), "ServerApp.port_retries": "0"}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["ServerApp.allow_root"] = "True"  # it listens on the loopback interface only
    return [f"--{name}={value}" for name, value in options.items()]
