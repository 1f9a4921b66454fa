"""Decoded frames converted to pictures for the screen: stretched, windowed, clipped, resized."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orthanc_lab.dicom.decimal_text import is_decimal
from orthanc_lab.dicom.dictionary.tags import (
    FRAME_VOI_LUT_SEQUENCE,
    PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    RESCALE_INTERCEPT,
    RESCALE_SLOPE,
    WINDOW_CENTER,
    WINDOW_WIDTH,
)
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.images.image_description import ImageDescription, items_of, text_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = [
    "MAX_PIXELS",
    "Rescale",
    "Window",
    "preview",
    "render",
    "rescale_of",
    "rescaled",
    "resize",
    "truncate",
    "window_of",
]

Array = NDArray[Any]

MAX_PIXELS = 1 << 25
"""Resized pictures of more samples than this are refused: 5792 x 5792 of gray, 3344 x 3344 of colour."""

_AT_ONCE = 1 << 20  # pixels that are looked up in a table at a time


@dataclass(frozen=True, slots=True)
class Window:
    """A window on the values after the rescale slope (PS3.3 section C.11.2.1.2)."""

    center: float
    width: float


@dataclass(frozen=True, slots=True)
class Rescale:
    """From stored values to those of the modality (PS3.3 section C.11.1.1.2)."""

    slope: float = 1.0
    intercept: float = 0.0


def rescale_of(data_set: DataSet, frame: int = 0) -> Rescale:
    """Return the rescale slope and intercept of the file, else of the frame; the identity without both numbers."""
    for item in (data_set, _of_frame(data_set, frame, PIXEL_VALUE_TRANSFORMATION_SEQUENCE)):
        slope, intercept = parse_float(text_of(item, RESCALE_SLOPE)), parse_float(text_of(item, RESCALE_INTERCEPT))
        if slope is not None and intercept is not None:
            return Rescale(slope, intercept)
    return Rescale()


def window_of(data_set: DataSet, description: ImageDescription, frame: int = 0) -> Window:
    """Return the first window of the file, else of the frame, else one over all values that the bits can hold."""
    for item in (data_set, _of_frame(data_set, frame, FRAME_VOI_LUT_SEQUENCE)):
        center = parse_float(text_of(item, WINDOW_CENTER).split("\\", maxsplit=1)[0])
        width = parse_float(text_of(item, WINDOW_WIDTH).split("\\", maxsplit=1)[0])
        if center is not None and width is not None:
            return Window(center, width)
    values = float(1 << description.bits_stored % 32)
    return Window(values / 2, values)


def _of_frame(data_set: DataSet, frame: int, sequence: int) -> DataSet:
    """Return the first item of a sequence among the functional groups of a frame (PS3.3 section C.7.6.16)."""
    frames = items_of(data_set, PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
    items = items_of(frames[frame], sequence) if 0 <= frame < len(frames) else []
    return items[0] if items else {}


def parse_float(text: str) -> float | None:
    """Read a decimal number, ignoring blanks around it; None for any other text."""
    number = text.strip(" \t\n\v\f\r")
    return float(number) if is_decimal(number) else None


def rescaled(pixels: Array, rescale: Rescale) -> Array:
    """Return gray values of the modality, as float32."""
    values: Array = pixels.astype(np.float32)
    if rescale != Rescale():
        with np.errstate(over="ignore", invalid="ignore"):
            values *= np.float32(rescale.slope)
            values += np.float32(rescale.intercept)
    return values


def preview(pixels: Array, description: ImageDescription) -> Array:
    """Return 8 bits a sample: gray values stretched from the smallest to the largest, colours as they are.

    Raises
    ------
    OrthancError
        23 for 32-bit values.
    """
    if pixels.ndim == 3:
        return _eight_bits(pixels)
    if pixels.dtype.itemsize > 2:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_FORMAT)
    low, high = _range(pixels)
    scale = np.float32(255.0 / (high - low) if high > low else 0.0)
    table = np.floor(_scaled(np.arange(low, high + 1), scale, np.float32(-low) * scale) + np.float32(0.5))
    table = table.astype(np.uint8)
    return _looked_up(pixels, low, _inverted(table, description))


def render(pixels: Array, description: ImageDescription, rescale: Rescale, window: Window) -> Array:
    """Return 8 bits a sample: gray values seen through a window, colours as they are."""
    if pixels.ndim == 3:
        return _eight_bits(pixels)
    low, high = _range(pixels)
    if pixels.dtype.itemsize <= 2:
        table = _windowed(np.arange(low, high + 1), rescale, window)
        return _looked_up(pixels, low, _inverted(table, description))
    return _inverted(_windowed(pixels, rescale, window), description)


def truncate(pixels: Array, low: int, high: int) -> Array:
    """Return gray values clipped at both ends, in the smallest unsigned type for `high` (int16 if `low` is negative).

    Raises
    ------
    OrthancError
        23 for colours and 32-bit values.
    """
    if pixels.ndim == 3 or pixels.dtype.itemsize > 2:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_FORMAT)
    kind = np.dtype(np.int16 if low < 0 else np.uint8 if high < 256 else np.uint16)
    if pixels.dtype == kind:
        return pixels
    limits = np.iinfo(pixels.dtype)
    found: Array = np.empty(pixels.shape, kind)
    return np.clip(pixels, max(low, limits.min), min(high, limits.max), out=found, casting="unsafe")


def resize(pixels: Array, width: int, height: int, *, smooth: bool) -> Array:
    """Fit a picture of 8-bit samples into a box, keeping its proportions.

    Parameters
    ----------
    width, height
        Of the box, in pixels; 0 leaves a side free, and both leave the picture as it is.
    smooth
        Blur a picture that becomes smaller before the nearest pixels are taken.

    Raises
    ------
    OrthancError
        24 for more than `MAX_PIXELS` samples, or none.
    """
    old_height, old_width = pixels.shape[:2]
    if not old_height or not old_width or not (width or height):
        return pixels
    ratio = min(width / old_width if width else math.inf, height / old_height if height else math.inf)
    new_width, new_height = _rounded(old_width * ratio), _rounded(old_height * ratio)
    if (new_width, new_height) == (old_width, old_height):
        return pixels
    samples = 3 if pixels.ndim == 3 else 1
    if not new_width or not new_height or new_width * new_height * samples > MAX_PIXELS:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    rows, columns = _nearest(old_height, new_height), _nearest(old_width, new_width)
    return _blurred(pixels, rows, columns) if smooth and ratio < 1 else pixels[rows][:, columns]


def _blurred(pixels: Array, rows: Array, columns: Array) -> Array:
    """Return 8-bit samples at some places, smoothed by a Gaussian filter of 5 x 5, rounded down; edges are repeated."""
    found = np.empty((len(rows), len(columns), *pixels.shape[2:]), np.uint8)
    step = max(_AT_ONCE // pixels[0].size, 1)
    for start in range(0, len(rows), step):
        sums = _weighted(pixels, rows[start : start + step], 0)
        found[start : start + step] = _weighted(sums, columns, 1) >> 8
    return found


def _weighted(samples: Array, places: Array, axis: int) -> Array:
    last = samples.shape[axis] - 1
    parts = [np.take(samples, np.clip(places + step, 0, last), axis).astype(np.uint16) for step in range(-2, 3)]
    sums: Array = parts[0] + 4 * (parts[1] + parts[3]) + 6 * parts[2] + parts[4]
    return sums


def _nearest(old: int, new: int) -> Array:
    # In single precision, like Orthanc: what falls on the edge of a pixel falls on the same side.
    positions = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * (np.float32(old) / np.float32(new))
    found: Array = np.minimum(np.floor(positions).astype(np.intp), old - 1)
    return found


def _rounded(length: float) -> int:
    return math.floor(length + 0.5)


def _eight_bits(pixels: Array) -> Array:
    return (pixels >> 8).astype(np.uint8) if pixels.dtype.itemsize == 2 else pixels


def _range(pixels: Array) -> tuple[int, int]:
    return (int(pixels.min()), int(pixels.max())) if pixels.size else (0, 0)


def _looked_up(pixels: Array, low: int, table: Array) -> Array:
    if pixels.size > _AT_ONCE:  # by rows: as indices, the pixels take eight bytes each
        found = np.empty(pixels.shape, np.uint8)
        step = max(_AT_ONCE // pixels.shape[1], 1)
        for start in range(0, len(pixels), step):
            found[start : start + step] = _looked_up(pixels[start : start + step], low, table)
        return found
    if pixels.dtype.kind == "u":
        full = np.concatenate([np.zeros(low, np.uint8), table]) if low else table
        return np.take(full, pixels)
    return np.take(table, pixels.astype(np.int32) - low)


def _windowed(values: Array, rescale: Rescale, window: Window) -> Array:
    width = max(window.width, 1.0)
    scale = 255.0 / width
    scaled = _scaled(values, rescale.slope * scale, (rescale.intercept - window.center + width / 2) * scale)
    levels: Array = np.clip(np.floor(np.nan_to_num(scaled, nan=0.0)), 0, 255).astype(np.uint8)
    return levels


def _scaled(values: Array, factor: float | np.float32, offset: float | np.float32) -> Array:
    # In single precision, like Orthanc: the values at the edge of a gray level fall on the same side.
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32) * np.float32(factor) + np.float32(offset)


def _inverted(values: Array, description: ImageDescription) -> Array:
    return 255 - values if description.photometric == "MONOCHROME1" else values
