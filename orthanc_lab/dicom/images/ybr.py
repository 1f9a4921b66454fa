"""Luminance and chrominance converted to RGB (PS3.3 section C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["full_resolution", "rgb_of_ybr_full"]

_AT_ONCE = 1 << 18  # pixels that are converted at a time: they take a hundred bytes each


def rgb_of_ybr_full(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return RGB of 8 bits from YBR_FULL of 8 bits, both of shape (rows, columns, 3); fractions are cut off."""
    found = np.empty(pixels.shape, np.uint8)
    step = max(_AT_ONCE // max(pixels.shape[1], 1), 1)
    for row in range(0, len(pixels), step):
        found[row : row + step] = _converted(pixels[row : row + step])
    return found


def _converted(pixels: NDArray[Any]) -> NDArray[Any]:
    luma = pixels[..., 0].astype(np.float64)
    blue, red = (pixels[..., index].astype(np.float64) - 128 for index in (1, 2))
    colours = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return np.clip(np.stack(colours, axis=-1), 0, 255).astype(np.uint8)


def full_resolution(samples: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Return YBR_FULL from YBR_FULL_422: two luminances, then the chrominances that they share."""
    pairs = samples[: height * width * 2].reshape(height, width // 2, 4)
    found = np.empty((height, width // 2, 2, 3), samples.dtype)
    found[..., 0] = pairs[..., :2]
    found[..., 1:] = pairs[:, :, None, 2:]
    return found.reshape(height, width, 3)
