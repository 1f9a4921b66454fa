"""The pictures among outputs, and whether two of them look the same."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import nbformat
import numpy as np
from PIL import Image

LIVE = "live-chart"  # a tag: the picture shows how long things took, so that no two are the same

_RASTER = (48, 32)  # so coarse that fonts and smoothing do not count
_TOLERANCE = 6.0  # of 255, on average
_COLORED = 64  # of 255: what is drawn in a chart is, unlike its axes and its text
_FACTOR = 2.0  # between the colored areas of two live charts of the same kind


def pictures_of(cell: nbformat.NotebookNode) -> Iterator[Image.Image]:
    """Give the PNG pictures of a cell."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            yield Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))


def look_alike(first: Image.Image, second: Image.Image) -> bool:
    """Tell whether size and grey values agree, apart from what versions of libraries make different."""
    return _have_the_same_size(first, second) and (float(np.abs(_raster(first) - _raster(second)).mean()) <= _TOLERANCE)


def are_charts_of_the_same(first: Image.Image, second: Image.Image) -> bool:
    """Tell whether size and amount of drawn lines agree: all that two live charts of the same work have in common."""
    less, more = sorted(_colored(picture) for picture in (first, second))
    return _have_the_same_size(first, second) and 0 < more <= _FACTOR * less


def _have_the_same_size(first: Image.Image, second: Image.Image) -> bool:
    return all(abs(a - b) <= 0.05 * a for a, b in zip(first.size, second.size, strict=True))


def _raster(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L").resize(_RASTER, Image.Resampling.BOX), dtype=float)


def _colored(picture: Image.Image) -> float:
    saturation = np.asarray(picture.convert("RGB").convert("HSV"))[..., 1]
    return float((saturation > _COLORED).mean())
