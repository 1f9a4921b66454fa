"""Reading an output that is in parts."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orthanc_lab.jobs.part_area import PartArea

__all__ = ["Part", "PartReader"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of an output."""

    place: int  # of its first byte; -1 marks an output that may have none yet
    size: int
    key: str  # its name in the area


class PartReader(io.RawIOBase):
    """A file that is read from any place.

    Parameters
    ----------
    parts
        In the order of their places.
    look_again
        Returns the parts as they are now, of a file that may grow.
    done
        Called when it is closed.
    reading
        Called before bytes are read, with the names of all parts: they may have been removed meanwhile.
    """

    def __init__(
        self,
        area: PartArea,
        parts: Sequence[Part],
        look_again: Callable[[], Sequence[Part]] | None = None,
        done: Callable[[], object] | None = None,
        reading: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        super().__init__()
        self._area = area
        self._look_again = look_again
        self._done = done
        self._reading = reading
        self._position = 0
        self._know(parts)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        if whence == io.SEEK_END:
            self._look()
        start = (0, self._position, self._end)[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """Return the place from which is read next."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # any buffer of bytes
        """Fill a buffer as far as there is something to read."""
        view = memoryview(buffer).cast("B")
        if self._position + len(view) > self._end:
            self._look()
        wanted = max(0, min(len(view), self._end - self._position))
        if wanted and self._reading is not None:
            self._reading([part.key for part in self._parts])
        count = 0
        while count < wanted:
            count += self._read_part(view[count:wanted])
        return count

    def _read_part(self, view: memoryview) -> int:
        part = self._parts[bisect_right(self._places, self._position) - 1]
        offset = self._position - part.place
        wanted = min(len(view), part.size - offset)
        data = self._area.read(part.key, wanted, offset) if wanted > 0 else b""
        if not data:
            raise OSError(f"the part {part.key} of an output is too short")
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Close it."""
        done, self._done = self._done, None
        super().close()
        if done is not None:
            done()

    def _look(self) -> None:
        parts = self._look_again() if self._look_again is not None else ()
        if parts:  # else it was removed, and can be read for a while
            self._know(parts)

    def _know(self, parts: Sequence[Part]) -> None:
        self._parts = [part for part in parts if part.size]
        self._places = [part.place for part in self._parts]
        self._end = self._parts[-1].place + self._parts[-1].size if self._parts else 0
