"""Limits on what a DICOM file may make of memory and stack; all readers of files share them."""

from __future__ import annotations

__all__ = [
    "MAX_DEPTH",
    "MAX_FRAMES",
    "MAX_FRAME_BYTES",
    "MAX_INFLATED",
    "MAX_JSON_DEPTH",
    "MAX_NATIVE_BYTES",
    "MAX_PICTURE_BYTES",
]

MAX_DEPTH = 150
"""Sequences nested deeper than this are refused, so that no file exhausts the stack."""

MAX_JSON_DEPTH = 128
"""Sequences nested deeper than this in the body of a request are refused."""

MAX_INFLATED = 1 << 30
"""A deflated data set of more bytes than this is refused."""

MAX_FRAMES = 1_000_000
"""A file that declares more frames is refused: no list of them is made, no memory taken."""

MAX_FRAME_BYTES = 1 << 29
"""A compressed frame that would take more memory than this is refused."""

MAX_NATIVE_BYTES = 1 << 31
"""Pixel data that would take more bytes than this are not decompressed."""

MAX_PICTURE_BYTES = 256 << 20
"""PNG, JPEG and PAM pictures of more decoded bytes than this are refused."""
