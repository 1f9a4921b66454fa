"""Where jobs leave their outputs: the port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol

__all__ = ["OutputStore", "OutputWriter"]


class OutputWriter(Protocol):
    """An output that grows. Only one writes to an output at a time."""

    def write(self, data: bytes) -> None:
        """Append all of `data`; when this returns it survives a killed process.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        ...

    def close(self) -> None:
        """Stop writing."""
        ...


class OutputStore(Protocol):
    """Outputs by name. It belongs to one jobs engine alone, which removes outputs that belong to no job."""

    @property
    def grain(self) -> int:
        """Bytes that are worth a write of their own; 0 if any are."""
        ...

    def new_name(self, suffix: str) -> str:
        """Return a name that no output has; `suffix` as in ``.zip``. Nothing is made yet.

        Raises
        ------
        OSError
            If no output can be made here.
        """
        ...

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        """Go on behind the first `offset` bytes of an output, which is made if it is missing.

        Returns
        -------
        OutputWriter
            What writes on.
        int
            Where it does: `offset`, or 0 for an output that was shorter. What followed is cut off.

        Raises
        ------
        OSError
            If it cannot be opened.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Open an output to read it from any place.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        ...

    def take(self, name: str) -> BinaryIO:
        """Open an output for the last time: it is gone from the store, and can be read until it is closed.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return the size in bytes, None if there is no such output."""
        ...

    def remove(self, name: str) -> None:
        """Remove an output, if there is one.

        Raises
        ------
        OSError
            If it cannot be removed.
        """
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all outputs."""
        ...
