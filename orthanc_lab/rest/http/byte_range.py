"""The header ``Range`` of a request, read as Orthanc reads it."""

from __future__ import annotations

from typing import NamedTuple

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.http.arguments import unsigned

__all__ = ["ByteRange", "parse_range"]


class ByteRange(NamedTuple):
    """A part of a file, both ends included; None = the file's own end."""

    first: int | None
    last: int | None

    def within(self, size: int) -> tuple[int, int]:
        """Return both ends in a file of `size` bytes.

        Raises
        ------
        OrthancError
            41 if the file does not reach that far.
        """
        first = 0 if self.first is None else self.first
        last = size - 1 if self.last is None else self.last
        if first >= size or last >= size:
            raise OrthancError(ErrorCode.BAD_RANGE)
        return first, last


def parse_range(header: str) -> ByteRange:
    """Read ``bytes=a-b``, ``bytes=a-`` or ``bytes=-b``.

    The last form is the beginning of the file up to b, not its end, as in Orthanc 1.12.7; an end
    that is not a number counts as absent.

    Raises
    ------
    OrthancError
        41 for another unit or several ranges, 6 if the ends are the wrong way round.
    """
    unit, _, ends = header.partition("=")
    if unit != "bytes" or ends.count("-") != 1:
        raise OrthancError(ErrorCode.BAD_RANGE)
    first, last = (unsigned(end.strip()) for end in ends.split("-"))
    found = ByteRange(first, last)
    if found.first is not None and found.last is not None and found.first > found.last:
        raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS)
    return found
