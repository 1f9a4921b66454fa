"""Small pictures where Orthanc's own are black: those of images without a window."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["NO_PICTURE", "is_flat", "scaled"]

NO_PICTURE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What is raised for bytes that are no PNG, or one that is too large."""

_FLAT = 8  # of 256 levels of grey: nobody sees anything


def is_flat(png: bytes) -> bool:
    """Return whether a picture is of one shade, as far as an eye can tell."""
    with _opened(png) as picture:
        low, high = picture.convert("L").getextrema()
    return bool(high - low < _FLAT)  # type: ignore[operator]  # of one band, they are numbers


def scaled(png: bytes, size: int) -> bytes:
    """Return a picture that is at most `size` pixels wide and high."""
    out = io.BytesIO()
    with _opened(png) as picture:
        picture.thumbnail((size, size))
        picture.save(out, "PNG")
    return out.getvalue()


def _opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png), formats=("PNG",))  # others run programs, as PostScript does
