"""Small pictures where Orthanc's own are black: those of images without a window."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["is_flat", "scaled"]

_FLAT = 8  # of 256 levels of grey: nobody sees anything


def is_flat(png: bytes) -> bool:
    """Return whether a picture is of one shade, as far as an eye can tell."""
    with Image.open(io.BytesIO(png)) as picture:
        low, high = picture.convert("L").getextrema()
    return bool(high - low < _FLAT)  # type: ignore[operator]  # of one band, they are numbers


def scaled(png: bytes, size: int) -> bytes:
    """Return a picture that is at most `size` pixels wide and high."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail((size, size))
        picture.save(out, "PNG")
    return out.getvalue()
