"""A button that downloads a file from the kernel to the browser, through the notebook's own connection."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import traitlets

from orthanc_lab.client import ClientError
from orthanc_lab.client.display import amount
from orthanc_lab.client.download import place_beside
from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Download", "Save"]

Save = Callable[[Path, Callable[[int, "int | None"], None]], Path]
"""Saves a file in a folder, reporting the bytes so far and the total, and returns its path."""

CHUNK = 1 << 20  # bytes in a message
_LIMIT = 512 << 20
_PAUSE = 0.25  # seconds between two reports of progress
_REMEMBERED = 100  # finished downloads whose outcome is sent again on request


class _StoppedError(Exception):
    """The user has stopped the download."""


class Download(Element, script="download"):
    """A button: a click fetches a file into the kernel, then passes it to the browser, which saves it.

    The browser needs no direct access to Orthanc, which suits JupyterHub and Voilà. The file is fetched completely
    before its first byte is sent, and the browser saves it only once its last byte has arrived: an incomplete file is
    never saved.

    Parameters
    ----------
    label
        The text on the button.
    save
        Saves the file in the given folder and returns its path, like ``client.archive`` and ``job.download``.
        It reports progress by calling its second argument, which raises an error once the user stops the download.
        It runs in a thread.
    limit
        Maximum size in bytes; a larger file is moved to `folder` instead, next to the notebook, and the button
        says so.
    folder
        The folder for larger files; None for the working folder.

    Attributes
    ----------
    disabled
        Whether the button is disabled.
    is_primary
        Whether it stands out as what the panel is for.
    state
        ``""``, ``"fetching"``, ``"sending"``, ``"downloaded"``, ``"saved"`` (next to the notebook), ``"stopped"``,
        ``"failed"``.
    words
        The state as text.

    Examples
    --------
    >>> study = client.studies.find()[0]
    >>> button = Download("Archive", lambda folder, progress: client.archive(study, folder, progress=progress))
    >>> button.save_beside(folder).name
    'Archive.zip'
    """

    label = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)  # not "tooltip": the views of ipywidgets use that name themselves
    disabled = traitlets.Bool(False).tag(sync=True)
    is_primary = traitlets.Bool(False).tag(sync=True)
    state = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, label: str, save: Save, *, limit: int = _LIMIT, folder: str | Path | None = None, **traits: Any
    ) -> None:
        super().__init__(label=label, **traits)
        self._save = save
        self.limit = limit
        self.folder = folder
        self._queue: SerialQueue[None] = SerialQueue()
        self._lock = threading.RLock()  # the browser's messages arrive on two threads at once, see `DropZone`
        self._token = ""  # identifies the current download; made by the browser
        self._ends: dict[str, str] = {}  # how earlier downloads ended
        self._file: Path | None = None
        self._spool: tempfile.TemporaryDirectory[str] | None = None
        self._next_report = 0.0
        self.on_msg(self._on_message)

    def save_beside(self, folder: str | Path | None = None) -> Path:
        """Save the file in a folder on the kernel's machine, without the browser, and return its path."""
        return self._save(Path.cwd() if folder is None else Path(folder), lambda done, total: None)

    def forget(self) -> None:
        """Remove the outcome of the last download, unless one is in progress: it is about something else now."""
        with self._lock:
            if not self._token:
                self._show("", "")

    # -- messages from the browser ----------------------------------------------------

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        token, ask = content["token"], content["ask"]
        with self._lock:
            if token in self._ends:  # the browser missed the message
                self.send({"token": token, "end": self._ends[token]})
            elif ask == "stop":
                self._finish(token, "stopped", "Stopped.")
            elif ask == "start" and token != self._token:
                self._start(token)
            elif token == self._token and self._file is not None:
                self._answer(token, ask, content, self._file)

    def _start(self, token: str) -> None:
        self._finish(self._token, "stopped", "Stopped.")  # a download started in another view
        self._token = token
        self._show("fetching", "Fetching …")
        self._queue.submit(lambda: self._fetch(token))

    def _answer(self, token: str, ask: str, content: dict[str, Any], path: Path) -> None:
        """Answer a request; browsers repeat one that gets no answer."""
        size = path.stat().st_size
        if ask == "start":
            self.send({"token": token, "name": path.name, "size": size, "chunk": CHUNK})
        elif ask == "part":
            with path.open("rb") as file:
                file.seek(int(content["part"]) * CHUNK)
                data = file.read(CHUNK)
            self.send({"token": token, "part": int(content["part"])}, [data])
        elif ask == "done":
            self._finish(token, "downloaded", f"Downloaded {path.name} ({amount(size)})")

    # -- fetching: in a thread --------------------------------------------------------

    def _fetch(self, token: str) -> None:
        spool = tempfile.TemporaryDirectory(prefix="orthanc-lab-", ignore_cleanup_errors=True)
        try:
            path = self._save(Path(spool.name), lambda done, total: self._report(token, done, total))
            self._report(token, path.stat().st_size, None)  # stopped at the last moment?
            if path.stat().st_size > self.limit:
                kept = _move_beside(path, Path.cwd() if self.folder is None else Path(self.folder))
                size = amount(kept.stat().st_size)
                self._finish(token, "saved", f"Too large for the browser ({size}); saved as {kept}")
            elif self._keep(token, spool, path):
                return
        except _StoppedError:
            pass  # already reported
        except (ClientError, OSError, ValueError) as error:
            self._finish(token, "failed", str(error))
        except Exception as error:
            self._finish(token, "failed", f"This download failed: {type(error).__name__}: {error}")
            self.log.exception("A download failed")
        spool.cleanup()

    def _report(self, token: str, done: int, total: int | None) -> None:
        if token != self._token:
            raise _StoppedError
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _PAUSE
            whole = f" of {amount(total)}" if total else ""
            self._show("fetching", f"Fetching: {amount(done)}{whole}")

    def _keep(self, token: str, spool: tempfile.TemporaryDirectory[str], path: Path) -> bool:
        with self._lock:
            if token != self._token:
                return False
            self._drop()
            self._spool, self._file = spool, path
        self._show("sending", "Sending …")
        self.send({"token": token, "name": path.name, "size": path.stat().st_size, "chunk": CHUNK})
        return True

    def _finish(self, token: str, state: str, words: str) -> None:
        with self._lock:
            if not token or token in self._ends:
                return
            self._ends[token] = state
            if len(self._ends) > _REMEMBERED:
                del self._ends[next(iter(self._ends))]
            if token == self._token:  # else "stop" has overtaken "start"
                self._token = ""
                self._drop()
                self._show(state, words)
            self.send({"token": token, "end": state})

    def _drop(self) -> None:
        spool, self._spool, self._file = self._spool, None, None
        if spool is not None:
            spool.cleanup()

    def _show(self, state: str, words: str) -> None:
        with self._lock, self.hold_sync():
            self.state, self.words = state, words

    def close(self) -> None:
        """Stop a download in progress, and remove the button from the notebook."""
        with self._lock:
            self._token = ""
            self._drop()
        self._queue.close()
        super().close()


def _move_beside(path: Path, folder: Path) -> Path:
    """Move a file to a folder under an unused name, and return its path; it appears there only once it is complete."""
    part = folder / f".{path.name}.{os.getpid()}.part"
    try:
        shutil.move(path, part)
        return place_beside(part, folder, path.name).absolute()
    finally:
        part.unlink(missing_ok=True)
