"""Pieces of outputs in a place that may be away."""

from __future__ import annotations

from orthanc_lab.jobs.part_area import PartArea
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.area import AreaError

__all__ = ["DistantPieces"]


class DistantPieces:
    """An area whose absence is no failure of the job that needs it, as that of the database is none."""

    def __init__(self, area: PartArea) -> None:
        self._area = area
        self.remove = area.remove

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        """Create a piece.

        Raises
        ------
        OrthancError
            36 if the place is away.
        """
        try:
            self._area.write(name, data, sync=sync)
        except AreaError as error:
            raise _explained(error) from error

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        """Return a piece from `offset` on, or `size` bytes of it, less at its end.

        Raises
        ------
        OrthancError
            36 if the place is away.
        """
        try:
            return self._area.read(name, size, offset)
        except AreaError as error:
            raise _explained(error) from error


def _explained(error: AreaError) -> Exception:
    return OrthancError(ErrorCode.DATABASE_UNAVAILABLE, str(error)) if error.is_away else error
