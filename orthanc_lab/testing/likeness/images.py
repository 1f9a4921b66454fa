"""Comparing PNG and JPEG images by their pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from orthanc_lab.testing.likeness.difference import Difference

__all__ = ["compare_images"]

_LOSSY_MEAN = 1.5
"""Allowed mean absolute difference between JPEG samples from two encoders at the same quality."""


def compare_images(ours: bytes, real: bytes, *, lossy: bool) -> Iterator[Difference]:
    """Compare format, mode, size and pixels; JPEG pixels approximately."""
    if ours == real:
        return
    (mine, my_form), (theirs, their_form) = map(_samples, (ours, real))
    if my_form != their_form:
        yield Difference.of("image", my_form, their_form)
        return
    difference = np.abs(mine.astype(np.int64) - theirs.astype(np.int64))
    if difference.mean() > (_LOSSY_MEAN if lossy else 0):
        worst = np.unravel_index(int(difference.argmax()), difference.shape)
        yield Difference.of(
            f"image pixels: {int((difference > 0).sum())} of {difference.size} differ, the worst at {worst}",
            mine[worst],
            theirs[worst],
        )


def _samples(body: bytes) -> tuple[Any, str]:
    """Return the samples of a picture, and its form in words; JPEG beyond 8 bits and lossless one need imagecodecs."""
    try:
        image = Image.open(io.BytesIO(body))
    except UnidentifiedImageError:
        import imagecodecs  # noqa: PLC0415 - an extra

        samples = imagecodecs.jpeg8_decode(body)
        return samples, f"JPEG {samples.dtype} {samples.shape}"
    return np.asarray(image), f"{image.format} {image.mode} {image.size}"
