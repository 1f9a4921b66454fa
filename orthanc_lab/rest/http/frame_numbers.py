"""The number of a frame in a path."""

from __future__ import annotations

import re

from orthanc_lab.rest.http.answers import EmptyAnswer

__all__ = ["frame_number"]

_NUMBER = re.compile(r"[+-]?[0-9]{1,10}\Z", re.ASCII)
_COUNT = 2**32


def frame_number(text: str) -> int:
    """Read the number of a frame; a negative one wraps around and is never there.

    Raises
    ------
    EmptyAnswer
        404 for a text that is not a 32-bit number.
    """
    if _NUMBER.match(text) is None or abs(int(text)) >= _COUNT:
        raise EmptyAnswer(404)
    return int(text) % _COUNT
