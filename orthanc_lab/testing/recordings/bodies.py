"""Bodies: in memory, or on their way through a proxy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile

from orthanc_lab.testing.recordings.writer import PIECE

__all__ = ["BytesBody", "SpooledBody"]

_IN_MEMORY = 1 << 20  # bytes of a body on its way that are kept in memory; more of them are in a temporary file


@dataclass(frozen=True, slots=True)
class BytesBody:
    """A body in memory.

    Examples
    --------
    >>> BytesBody(b"[]").digest[:8]
    '4f53cda1'
    """

    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.content)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 64 kB at most at a time."""
        for at in range(0, len(self.content), PIECE):
            yield self.content[at : at + PIECE]

    def read(self) -> bytes:
        """Return all bytes."""
        return self.content


class SpooledBody:
    """A body that grows while it passes; beyond a megabyte it is in a temporary file without a name.

    Parameters
    ----------
    folder
        Where that file is; the system's own one if omitted.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=None if folder is None else str(folder))  # noqa: SIM115 - closed by `close`
        self._digest = hashlib.sha256()
        self.size = 0
        """Number of bytes."""

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal digits."""
        return self._digest.hexdigest()

    def append(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._file.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes, 64 kB at most at a time."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def read(self) -> bytes:
        """Return all bytes."""
        self._file.seek(0)
        return self._file.read()

    def passing(self, read: Callable[[int], bytes]) -> Iterator[bytes]:
        """Yield what `read` returns, until it is empty, and keep it."""
        while piece := read(PIECE):
            self.append(piece)
            yield piece

    def close(self) -> None:
        """Forget the bytes."""
        self._file.close()
