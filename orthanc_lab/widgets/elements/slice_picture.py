"""A slice as a picture that stays where no widget can be shown."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from orthanc_lab.widgets.elements.slice_image import SliceImage, Values

__all__ = ["png_of"]

_LARGEST = 384  # pixels of a side
_TYPES = {"uint8": "u1", "int16": "<i2", "uint16": "<u2", "float32": "<f4"}


def png_of(image: SliceImage, center: float, width: float, *, is_inverted: bool = False) -> bytes:
    r"""Return a PNG of a slice in a window (PS3.3 C.11.2.1.2); empty if it has no values.

    Examples
    --------
    >>> png_of(SliceImage.of(np.zeros((4, 4))), 0, 1)[:4]
    b'\x89PNG'
    """
    if image.kind == "none":
        return b""
    picture = Image.fromarray(_levels(image, center, width, is_inverted))
    scale = min(1.0, _LARGEST / max(image.columns, image.rows * image.aspect))
    size = max(1, round(image.columns * scale)), max(1, round(image.rows * image.aspect * scale))
    out = io.BytesIO()
    picture.resize(size).save(out, "PNG")
    return out.getvalue()


def _levels(image: SliceImage, center: float, width: float, is_inverted: bool) -> Values:
    if image.kind == "rgb":
        return np.frombuffer(image.data, np.uint8).reshape(image.rows, image.columns, 3)
    values = np.frombuffer(image.data, _TYPES[image.kind]).reshape(image.rows, image.columns).astype(float)
    share = (values - (center - 0.5)) / max(width - 1, 1e-6) + 0.5
    levels = np.floor(np.clip(np.nan_to_num(share), 0, 1) * 255 + 0.5).astype(np.uint8)
    return 255 - levels if is_inverted else levels
