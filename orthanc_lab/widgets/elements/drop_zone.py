"""A drop zone for files from the browser's machine, which may be different from the kernel's."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import traitlets

from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.elements.element import Element

__all__ = ["DropZone", "DroppedFile", "RefusedError"]

_IDLE = 300.0  # seconds after which an incomplete file is dropped when a new one begins: its view has gone
_REMEMBERED = 1000  # finished transfers whose outcome is sent again on request


class RefusedError(Exception):
    """Raised by the receiver of a complete file to refuse it; the message follows the file's name."""


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file that arrived completely from the browser; its receiver must discard it."""

    name: str  # on the user's machine, relative to the folder that was dropped
    drop: str = field(default="", kw_only=True)  # the same for files that were dropped together
    path: Path  # where its bytes are, under another name
    size: int

    def read(self) -> bytes:
        """Return its bytes."""
        return self.path.read_bytes()

    def discard(self) -> None:
        """Remove it from the disk, if it is still there."""
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class _Transfer:
    name: str
    drop: str
    size: int
    path: Path
    file: BinaryIO
    touched: float
    received: int = 0
    pieces: dict[int, int] = field(default_factory=dict)  # the length of each received piece, by offset

    def keep(self, offset: int, chunk: bytes | memoryview) -> None:
        """Write a piece at its offset; only once, however often it arrives."""
        if offset not in self.pieces:
            self.file.seek(offset)
            self.file.write(chunk)
            self.pieces[offset] = len(chunk)
            self.received += len(chunk)

    def is_seamless(self) -> bool:
        """Whether the pieces neither overlap nor leave gaps."""
        end = 0
        for offset in sorted(self.pieces):
            if offset != end:
                return False
            end += self.pieces[offset]
        return True


class DropZone(Element, script="drop_zone"):
    """Accepts dropped or chosen files; each is passed on only once it is complete.

    Files arrive in chunks, and are kept in a temporary folder that is removed with the element. JupyterLab and
    ipykernel deliver the messages of an element partly on the main thread, partly on that of a subshell: chunks may
    arrive in any order, on two threads at once, and are sent again if their answer was lost.

    Parameters
    ----------
    label
        The invitation to drop files.
    on_file
        Called with each `DroppedFile`, one at a time, on the thread that received its last chunk; longer work belongs
        on another thread. It may raise `RefusedError`.
    check
        Called with the name and the first bytes of a file; returns the reason for refusing it, "" to accept it.
    accept
        What the browser's file dialog offers, ``".png,.jpg"``; all files if empty.
    max_size
        Maximum size of a file in bytes; larger files are refused.
    on_refused
        Called with the name of each file that is refused, the reason, and what `DroppedFile` calls its drop; without
        it, the element shows them itself.
    clock
        The source of the time; tests pass one that they set by hand.

    Examples
    --------
    >>> zone = DropZone(label="Pictures", on_file=lambda file: print(file.name, file.read()))
    >>> zone.receive({"kind": "chunk", "transfer": "1", "name": "a.txt", "size": 4, "offset": 2}, [b"cd"])
    >>> zone.receive({"kind": "chunk", "transfer": "1", "name": "a.txt", "size": 4, "offset": 0}, [b"ab"])
    a.txt b'abcd'
    """

    label = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    multiple = traitlets.Bool(True).tag(sync=True)
    takes_folders = traitlets.Bool(False).tag(sync=True)
    max_size = traitlets.Int(2 << 30).tag(sync=True)
    chunk_size = traitlets.Int(1_000_000).tag(sync=True)
    tells_refusals = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        *,
        label: str,
        on_file: Callable[[DroppedFile], None],
        check: Callable[[str, bytes], str] = lambda name, head: "",
        on_refused: Callable[[str, str, str], None] | None = None,
        clock: Clock | None = None,
        **traits: Any,
    ) -> None:
        self._on_file = on_file
        self._check = check
        self._on_refused = on_refused
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._transfers: dict[str, _Transfer] = {}
        self._last_answers: dict[str, dict[str, Any]] = {}  # to finished transfers
        self._folder: Path | None = None
        self._count = 0
        super().__init__(label=label, tells_refusals=on_refused is not None, **traits)
        self.on_msg(lambda _, content, buffers: self.receive(content, buffers))

    def receive(self, content: dict[str, Any], buffers: Sequence[bytes | memoryview]) -> None:
        """Handle a message from the browser, on any thread: a chunk of a file, its cancellation, a refused file."""
        if content["kind"] == "refused":
            if self._on_refused is not None:
                self._on_refused(content["name"], content["words"], content["drop"])
            return
        # Not "id": ipykernel 7 uses that key itself when it chooses the thread for a message.
        id = content["transfer"]
        with self._lock:
            if content["kind"] == "cancel":
                if id not in self._last_answers:
                    self._end(id, _refusal(id, "was canceled"))
            else:
                self.send(self._last_answers.get(id) or self._answer(id, content, buffers[0]))

    def _answer(self, id: str, content: dict[str, Any], chunk: bytes | memoryview) -> dict[str, Any]:
        try:
            transfer = self._take(id, content, chunk)
        except RefusedError as error:
            words = str(error)
        except OSError as error:  # the disk is full
            words = f"cannot be kept: {error}"
        except Exception as error:  # a fault in the receiver: shown to the user, and written to the kernel's log
            words = f"failed: {type(error).__name__}: {error}"
            self.log.exception("A dropped file failed")
        else:
            answer = {"kind": "taken", "transfer": id, "offset": content["offset"], "received": transfer.received}
            if transfer.received == transfer.size:
                self._end(id, answer)
            return answer
        return self._end(id, _refusal(id, words))

    def _take(self, id: str, content: dict[str, Any], chunk: bytes | memoryview) -> _Transfer:
        name, size, offset = content["name"], content["size"], content["offset"]
        if not 0 < size <= self.max_size:
            raise RefusedError(f"has {size:,} bytes; files of 1 to {self.max_size:,} bytes are accepted here")
        if not 0 < len(chunk) <= size - offset:
            raise RefusedError("arrived in pieces that do not fit together; drop it again")
        if offset == 0 and (words := self._check(name, bytes(chunk))):
            raise RefusedError(words)
        transfer = self._transfers.get(id) or self._begin(id, content)
        transfer.keep(offset, chunk)
        transfer.touched = self._clock.monotonic()
        if transfer.received >= transfer.size:
            if not transfer.is_seamless():
                raise RefusedError("arrived in pieces that do not fit together; drop it again")
            del self._transfers[id]
            transfer.file.close()
            self._hand_on(DroppedFile(transfer.name, transfer.path, transfer.size, drop=transfer.drop))
        return transfer

    def _hand_on(self, file: DroppedFile) -> None:
        try:
            self._on_file(file)
        except BaseException:
            file.discard()
            raise

    def _begin(self, id: str, content: dict[str, Any]) -> _Transfer:
        now = self._clock.monotonic()
        for other, half in list(self._transfers.items()):
            if now - half.touched > _IDLE:
                self._end(other, _refusal(other, "was interrupted; drop it again"))
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="orthanc-lab-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._count += 1
        path = self._folder / f"{self._count:06}"
        name, drop = content["name"], content.get("drop", "")
        transfer = self._transfers[id] = _Transfer(name, drop, content["size"], path, path.open("wb"), now)
        return transfer

    def _end(self, id: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Drop what was received of a transfer, and give this answer to anything that still arrives for it."""
        self._drop(id)
        self._last_answers[id] = answer
        if len(self._last_answers) > _REMEMBERED:
            del self._last_answers[next(iter(self._last_answers))]
        return answer

    def _drop(self, id: str) -> None:
        half = self._transfers.pop(id, None)
        if half is not None:
            half.file.close()
            half.path.unlink(missing_ok=True)

    def focus(self) -> None:
        """Bring it into view, with the keyboard focus on its button."""
        self.send({"kind": "focus"})

    def close(self) -> None:
        """Drop incomplete files, and remove the element with all files that were not discarded."""
        with self._lock:
            for id in list(self._transfers):
                self._drop(id)
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None
        super().close()


def _refusal(id: str, words: str) -> dict[str, Any]:
    return {"kind": "refuse", "transfer": id, "words": words}
