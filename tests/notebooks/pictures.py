"""The pictures among outputs, and whether two of them look the same."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import nbformat
import numpy as np
from PIL import Image

_RASTER = (48, 32)  # so coarse that fonts and smoothing do not count
_TOLERANCE = 6.0  # of 255, on average


def pictures_of(cell: nbformat.NotebookNode) -> Iterator[Image.Image]:
    """Give the PNG pictures of a cell."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            yield Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))


def look_alike(first: Image.Image, second: Image.Image) -> bool:
    """Tell whether size and grey values agree, apart from what versions of libraries make different."""
    if any(abs(a - b) > 0.05 * a for a, b in zip(first.size, second.size, strict=True)):
        return False
    return float(np.abs(_raster(first) - _raster(second)).mean()) <= _TOLERANCE


def _raster(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L").resize(_RASTER, Image.Resampling.BOX), dtype=float)
