"""The header ``Range`` of a request, read as Orthanc reads it."""

from __future__ import annotations

import re
from typing import NamedTuple

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["ByteRange", "parse_range"]

_NUMBER = re.compile(r"[0-9]{1,18}")


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
    unit, equals, ends = header.partition("=")
    first, dash, last = ends.partition("-")
    if unit.strip() != "bytes" or not equals or not dash or "," in ends:
        raise OrthancError(ErrorCode.BAD_RANGE)
    found = ByteRange(_number(first), _number(last))
    if found.first is not None and found.last is not None and found.first > found.last:
        raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS)
    return found


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text.strip())
    return int(match[0]) if match else None
