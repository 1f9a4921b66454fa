"""Limits on what a DICOM file may make of memory and stack; all readers of files share them."""

from __future__ import annotations

__all__ = [
    "MAX_DEPTH",
    "MAX_FRAMES",
    "MAX_FRAME_BYTES",
    "MAX_JSON_DEPTH",
    "MAX_MESSAGE_ELEMENTS",
    "MAX_NATIVE_BYTES",
    "MAX_PICTURE_BYTES",
    "may_hold",
    "may_inflate",
    "may_unpack",
    "most_elements",
    "most_values",
]

MAX_DEPTH = 48
"""Sequences nested deeper than this are refused, so that no file exhausts the stack."""

MAX_JSON_DEPTH = 40
"""Sequences nested deeper than this in the body of a request are refused."""

MAX_MESSAGE_ELEMENTS = 10_000
"""A query, or an answer to one, of more elements and items than this is refused."""

MAX_FRAMES = 1_000_000
"""A file that declares more frames is refused: no list of them is made, no memory taken."""

MAX_FRAME_BYTES = 1 << 29
"""A compressed frame that would take more memory than this is refused."""

MAX_NATIVE_BYTES = 1 << 31
"""Pixel data that would take more bytes than this are not decompressed."""

MAX_PICTURE_BYTES = 256 << 20
"""PNG, JPEG and PAM pictures of more decoded bytes than this are refused."""

_UNPACKED = 40 << 20
_RATIO = 80
_INFLATED = 24 << 20
_INFLATED_RATIO = 48
_ELEMENTS = 100_000
_VALUES = 500_000


def may_unpack(packed: int) -> int:
    """Return to how many bytes something compressed may unpack that has `packed` bytes."""
    return max(_UNPACKED, _RATIO * packed)


def may_inflate(packed: int) -> int:
    """Return the same for a deflated data set, whose values are copied several times while they are shown."""
    return max(_INFLATED, _INFLATED_RATIO * packed)


def most_elements(size: int) -> int:
    """Return how many elements and items a file of `size` bytes may hold, deflated or not: each takes 8 bytes."""
    return _ELEMENTS + size // 8


def may_hold(packed: int) -> int:
    """Return how many elements and items a file may hold that was sent as `packed` bytes, compressed."""
    return _ELEMENTS + packed // 4


def most_values(deflated: int) -> int:
    """Return how many values a data set that was deflated to so many bytes may have, to be shown one by one."""
    return _VALUES + deflated
