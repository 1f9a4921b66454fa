"""Files that are in one of two places."""

from __future__ import annotations

from orthanc_lab.storage.files.area import FileArea

__all__ = ["FILE_SYSTEM", "OBJECT_STORAGE", "HybridArea"]

FILE_SYSTEM, OBJECT_STORAGE = "file-system", "object-storage"
"""The names of the two places, as in ``TargetStorage`` of ``/move-storage``."""


class HybridArea:
    """New files are written to one place; they are read and removed wherever they are.

    Parameters
    ----------
    target
        Where files are written, and looked for at first.
    other
        Where the rest of the files is.
    """

    def __init__(self, target: FileArea, other: FileArea) -> None:
        self._target = target
        self._other = other

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a file in the first place."""
        self._target.write(name, data, sync=sync)

    def sync(self, name: str) -> None:
        """Wait until a file that was written is on the disk."""
        self._target.sync(name)

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return the content of a file from `offset` on, or `size` bytes of it, less at its end.

        Should the first place be away, the file may be in the other one.
        """
        try:
            return self._target.read(name, size, offset)
        except OSError as error:
            try:
                return self._other.read(name, size, offset)
            except FileNotFoundError:
                raise error from None

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        self._target.remove(name)
        self._other.remove(name)
