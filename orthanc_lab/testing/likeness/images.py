"""Comparing PNG and JPEG images by their pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from orthanc_lab.testing.likeness.difference import Difference

__all__ = ["compare_images"]

_LOSSY_MEAN = 1.5
"""Allowed mean absolute difference between JPEG samples from two encoders at the same quality."""


def compare_images(ours: bytes, real: bytes, *, lossy: bool) -> Iterator[Difference]:
    """Compare format, mode, size and pixels; JPEG pixels approximately."""
    if ours == real:
        return
    mine, theirs = (Image.open(io.BytesIO(body)) for body in (ours, real))
    shapes = [f"{image.format} {image.mode} {image.size}" for image in (mine, theirs)]
    if shapes[0] != shapes[1]:
        yield Difference.of("image", *shapes)
        return
    difference = np.abs(np.asarray(mine, np.int64) - np.asarray(theirs, np.int64))
    if difference.mean() > (_LOSSY_MEAN if lossy else 0):
        worst = np.unravel_index(int(difference.argmax()), difference.shape)
        yield Difference.of(
            f"image pixels: {int((difference > 0).sum())} of {difference.size} differ, the worst at {worst}",
            np.asarray(mine)[worst],
            np.asarray(theirs)[worst],
        )
