"""A place for files of the browser's machine, which may be another than the kernel's."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import traitlets

from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.elements.element import Element

__all__ = ["DropZone", "DroppedFile", "RefusedError"]

_IDLE = 60.0  # seconds after which a half file gives way to a new one: its view went away


class RefusedError(Exception):
    """A file that is whole, and is not taken; raised by who is given it, in words that follow its name."""


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file that came whole from the browser; it is the receiver's, who discards it."""

    name: str  # as the person's machine calls it, below the folder that was dropped
    path: Path  # where its bytes are, under another name
    size: int

    def read(self) -> bytes:
        """Return its bytes."""
        return self.path.read_bytes()

    def discard(self) -> None:
        """Remove it from the disk; nothing happens if it is gone."""
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class _Transfer:
    name: str
    size: int
    path: Path
    file: BinaryIO
    received: int
    touched: float


class DropZone(Element, script="drop_zone"):
    """Files are dropped here, or chosen; each is handed on when it is whole, and not before.

    They come in chunks, each sent when the one before was acknowledged, and wait in a temporary folder that goes
    with the element.

    Parameters
    ----------
    label
        What is to be dropped here.
    on_file
        Called with each `DroppedFile`, in the kernel's main thread: longer work belongs into another one. It may
        raise `RefusedError`.
    check
        Looks at name and first bytes of a file; returns why it is refused, "" to take it.
    accept
        What the browser's file dialog shows, ``".png,.jpg"``; all kinds if empty.
    max_size
        Larger files are refused.
    clock
        The time; a test moves it by hand.

    Examples
    --------
    >>> zone = DropZone(label="Pictures", on_file=lambda file: print(file.name, file.read()))
    >>> zone.receive({"kind": "chunk", "id": "1", "name": "a.txt", "size": 4, "offset": 0}, [b"ab"])
    >>> zone.receive({"kind": "chunk", "id": "1", "name": "a.txt", "size": 4, "offset": 2}, [b"cd"])
    a.txt b'abcd'
    """

    label = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    multiple = traitlets.Bool(True).tag(sync=True)
    max_size = traitlets.Int(2 << 30).tag(sync=True)
    chunk_size = traitlets.Int(1_000_000).tag(sync=True)

    def __init__(
        self,
        *,
        label: str,
        on_file: Callable[[DroppedFile], None],
        check: Callable[[str, bytes], str] = lambda name, head: "",
        clock: Clock | None = None,
        **traits: Any,
    ) -> None:
        self._on_file = on_file
        self._check = check
        self._clock = clock or SystemClock()
        self._transfers: dict[str, _Transfer] = {}
        self._folder: Path | None = None
        self._count = 0
        super().__init__(label=label, **traits)
        self.on_msg(lambda _, content, buffers: self.receive(content, buffers))

    def receive(self, content: dict[str, Any], buffers: Sequence[bytes | memoryview]) -> None:
        """Take a message of the browser: a chunk of a file, or that its sending was cancelled."""
        id = content["id"]
        if content["kind"] == "cancel":
            self._drop(id)
            return
        try:
            words = self._take(id, content, buffers[0])
        except RefusedError as error:
            words = str(error)
        except OSError as error:  # the disk is full
            words = f"cannot be kept: {error}"
        except Exception as error:  # of the receiver: the person must see it, the kernel's log keeps it
            words = f"failed: {type(error).__name__}: {error}"
            self.log.exception("A dropped file failed")
        if words:
            self._drop(id)
            self.send({"kind": "refuse", "id": id, "words": words})

    def _take(self, id: str, content: dict[str, Any], chunk: bytes | memoryview) -> str:
        transfer = self._transfers.get(id)
        if transfer is None:
            if content["offset"]:
                return "was interrupted; drop it again"
            name, size = content["name"], content["size"]
            if not 0 < size <= self.max_size:
                return f"has {size:,} bytes; 1 to {self.max_size:,} are taken here"
            if words := self._check(name, bytes(chunk)):
                return words
            transfer = self._begin(id, name, size)
        if content["offset"] != transfer.received or transfer.received + len(chunk) > transfer.size:
            return "came in disorder; drop it again"
        transfer.file.write(chunk)
        transfer.received += len(chunk)
        transfer.touched = self._clock.monotonic()
        if transfer.received == transfer.size:
            del self._transfers[id]
            transfer.file.close()
            self._hand_on(DroppedFile(transfer.name, transfer.path, transfer.size))
        self.send({"kind": "taken", "id": id, "received": transfer.received})
        return ""

    def _hand_on(self, file: DroppedFile) -> None:
        try:
            self._on_file(file)
        except BaseException:
            file.discard()
            raise

    def _begin(self, id: str, name: str, size: int) -> _Transfer:
        now = self._clock.monotonic()
        for other, half in list(self._transfers.items()):
            if now - half.touched > _IDLE:
                self._drop(other)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="orthanc-lab-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._count += 1
        path = self._folder / f"{self._count:06}"
        transfer = self._transfers[id] = _Transfer(name, size, path, path.open("wb"), 0, now)
        return transfer

    def _drop(self, id: str) -> None:
        half = self._transfers.pop(id, None)
        if half is not None:
            half.file.close()
            half.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Forget half files, and remove the element with the files that nobody discarded."""
        for id in list(self._transfers):
            self._drop(id)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        super().close()
