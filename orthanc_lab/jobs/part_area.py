"""Where the bytes of outputs are that are kept in parts: the port, which the files of the storage fit."""

from __future__ import annotations

from typing import Protocol

__all__ = ["PartArea"]


class PartArea(Protocol):
    """Pieces of bytes, whose names are UUIDs. All failures are OSError."""

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a piece; `sync` waits until it is on the disk."""
        ...

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return a piece from `offset` on, or `size` bytes of it, less at its end."""
        ...

    def remove(self, name: str) -> None:
        """Delete a piece; nothing happens if there is none."""
        ...
