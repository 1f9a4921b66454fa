"""A kernel that runs what somebody else wrote: in a folder of its own, with limits of time."""

from __future__ import annotations

import ast
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL
from types import TracebackType
from typing import Any

from orthanc_lab.client.progress import VARIABLE as PROGRESS

__all__ = ["Kernel", "KernelError"]

# Other variables may have passwords, or lead the lesson to another server.
_PASSED_ON = frozenset(
    [
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "USER",
        "LOGNAME",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "LD_LIBRARY_PATH",
        "MPLCONFIGDIR",
        "XDG_CACHE_HOME",
        "JUPYTER_PATH",
        "JUPYTER_DATA_DIR",
    ]
)
_START_SECONDS = 60.0
_INTERRUPT_SECONDS = 10.0
_LOOK_SECONDS = 0.5  # how often a kernel is asked whether it is still there
_LONGEST_VALUE = 100_000  # characters


class KernelError(Exception):
    """The kernel cannot go on: it died, hangs, or has no time left."""


class Kernel:
    """A Python kernel for one notebook.

    Parameters
    ----------
    cell_seconds
        How long a cell may take.
    total_seconds
        How long all cells together may take.
    """

    def __init__(self, *, cell_seconds: float = 60.0, total_seconds: float = 300.0) -> None:
        from jupyter_client.manager import KernelManager  # noqa: PLC0415 - takes 0.3 s

        self._cell_seconds = cell_seconds
        self._end = time.monotonic() + total_seconds
        self.folder = Path(tempfile.mkdtemp(prefix="orthanc-lab-grading-"))
        self._manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(self.folder / "kernel"))
        self._client: Any = None

    def __enter__(self) -> Kernel:
        environment = {
            name: value for name, value in os.environ.items() if name.startswith("LC_") or name in _PASSED_ON
        }
        environment |= {PROGRESS: "0", "IPYTHONDIR": str(self.folder / "ipython"), "TMPDIR": str(self.folder)}
        try:
            self._manager.start_kernel(cwd=str(self.folder), env=environment, stdout=DEVNULL, stderr=DEVNULL)
            self._client = self._manager.client()
            # Nobody listens to what it prints: a flood of it costs the kernel time, and us nothing.
            self._client.start_channels(iopub=False, stdin=False, hb=False, control=False)
            self._reply(self._client.kernel_info(), _START_SECONDS)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def run(self, code: str) -> str:
        """Run code; return "" or the error that it raised. What takes too long is interrupted, which is an error.

        Raises
        ------
        KernelError
            If it ends the kernel or cannot be interrupted, or if no time is left.
        """
        return _error(self._execute(code))

    def values(self, expressions: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of expressions, by name; they have to be JSON. None for one that raises or is not.

        Raises
        ------
        KernelError
            As `run`.
        """
        asked = {name: f"__import__('json').dumps({expression})" for name, expression in expressions.items()}
        answers = self._execute("", asked).get("user_expressions", {}) if asked else {}
        return {name: _value(answers.get(name, {})) for name in expressions}

    def _execute(self, code: str, expressions: Mapping[str, str] | None = None) -> dict[str, Any]:
        message = self._client.execute(
            code, store_history=False, user_expressions=dict(expressions or {}), allow_stdin=False, stop_on_error=False
        )
        seconds = min(self._cell_seconds, self._end - time.monotonic())
        reply = self._awaited(message, seconds)
        if reply is None:
            self._manager.interrupt_kernel()
            self._reply(message, _INTERRUPT_SECONDS)
            reply = {"status": "error", "ename": "Interrupted", "evalue": _too_long(seconds), "user_expressions": {}}
        if time.monotonic() > self._end:
            raise KernelError("the notebook takes too long")
        return reply

    def _reply(self, message: str, seconds: float) -> dict[str, Any]:
        reply = self._awaited(message, seconds)
        if reply is None:
            raise KernelError(f"it does not answer for {seconds:.0f} s")
        return reply

    def _awaited(self, message: str, seconds: float) -> dict[str, Any] | None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                reply = self._client.get_shell_msg(timeout=min(left, _LOOK_SECONDS))
            except Empty:
                if not self._manager.is_alive():
                    raise KernelError("it ended the kernel") from None
                continue
            if reply["parent_header"].get("msg_id") == message:
                content: dict[str, Any] = reply["content"]
                return content
        return None

    def _close(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)  # its process group, with what it started
        shutil.rmtree(self.folder, ignore_errors=True)


def _too_long(seconds: float) -> str:
    return f"it takes longer than {max(seconds, 0):.0f} s"


def _error(content: Mapping[str, Any]) -> str:
    if content["status"] == "ok":
        return ""
    return f"{content.get('ename', 'Error')}: {content.get('evalue', '')}"[:1000]


def _value(answer: Mapping[str, Any]) -> Any:
    text = answer.get("data", {}).get("text/plain", "") if answer.get("status") == "ok" else ""
    if not text or len(text) > _LONGEST_VALUE:
        return None
    try:
        return json.loads(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
