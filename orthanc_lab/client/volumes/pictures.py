"""Three cuts through the middle of a volume, as pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

__all__ = ["cross_sections", "shown_range"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_LONGEST = 128  # pixels
_PERCENTILES = (1, 99)
_AXES = ("slice", "row", "column")


def cross_sections(array: Array, spacing: Sequence[float | None], orientation: str) -> Iterator[tuple[str, bytes]]:
    """Yield a description and a PNG of the middle slice, row and column; only of the slice without an orientation."""
    low, high = (0.0, 255.0) if array.ndim == 4 else shown_range(array)
    for axis in range(3 if orientation and array.shape[0] > 1 else 1):
        cut = np.take(array, array.shape[axis] // 2, axis)
        down, across = [other for other in range(3) if other != axis]
        if orientation and orientation[down] == "S":
            cut = cut[::-1]  # the head is above
        picture = Image.fromarray(_grey(cut, low, high))
        height, width = cut.shape[0] * (spacing[down] or 1.0), cut.shape[1] * (spacing[across] or 1.0)
        scale = _LONGEST / max(height, width)
        out = io.BytesIO()
        picture.resize((max(1, round(width * scale)), max(1, round(height * scale)))).save(out, "PNG")
        yield f"The middle {_AXES[axis]}", out.getvalue()


def shown_range(array: Array) -> tuple[float, float]:
    """Return between which values to draw: all but the darkest and the brightest hundredth."""
    some = array[:: max(1, array.shape[0] // 16), ::2, ::2]
    low, high = np.percentile(some, _PERCENTILES)
    return float(low), float(high)


def _grey(cut: Array, low: float, high: float) -> np.ndarray[Any, np.dtype[np.uint8]]:
    share = np.nan_to_num((cut.astype(np.float32) - low) / max(high - low, 1e-6))
    grey: np.ndarray[Any, np.dtype[np.uint8]] = (share.clip(0, 1) * 255).astype(np.uint8)
    return grey
