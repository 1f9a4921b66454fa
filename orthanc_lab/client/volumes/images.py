"""One file of a series: its frames, where they lie, and their pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

from orthanc_lab.client.volumes.elements import Elements
from orthanc_lab.client.volumes.geometry import Plane

__all__ = ["Frame", "Image", "acquired", "floats", "moment_of", "plain_image", "units_of"]

_NUMBERS = ("SamplesPerPixel", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")


@dataclass(frozen=True, slots=True)
class Frame:
    """One image."""

    plane: Plane
    slope: float = 1.0
    intercept: float = 0.0
    seconds: float | None = None  # when it was acquired, since 1970
    values: Mapping[str, str] | None = None  # of this frame, by keyword: what a caller may choose by


@dataclass(slots=True)
class Image:
    """The frames of a file.

    Attributes
    ----------
    pixels
        Stored values, of shape (frames, rows, columns), or (frames, rows, columns, 3).
    bits
        How many bits of each value count.
    units
        Of the rescaled values; "" if the file does not say.
    """

    frames: Sequence[Frame]
    pixels: np.ndarray[Any, np.dtype[Any]]
    bits: int
    units: str


def plain_image(data: bytes, found: Elements, values: Mapping[str, bytes], name: str) -> Image | None:
    """Return the image of the usual kind of file: one frame, one sample a pixel, not compressed; None for another."""
    if "ModalityLUTSequence" in values or not all(len(values.get(key, b"")) == 2 for key in _NUMBERS):
        return None
    numbers = {key: int.from_bytes(values[key], "little") for key in _NUMBERS}
    texts = {key: value.decode("latin-1").strip("\0 ") for key, value in values.items() if key not in _NUMBERS}
    allocated, stored = numbers["BitsAllocated"], numbers["BitsStored"]
    rows, columns = numbers["Rows"], numbers["Columns"]
    is_usual = (
        texts.get("NumberOfFrames", "1") in ("", "1")
        and numbers["SamplesPerPixel"] == 1
        and allocated in (8, 16, 32)
        and 0 < stored <= allocated
        and numbers["HighBit"] == stored - 1
        and numbers["PixelRepresentation"] in (0, 1)
        and rows * columns > 0
    )
    if not is_usual or found.length < rows * columns * allocated // 8:
        return None
    kind = np.dtype(f"<{'i' if numbers['PixelRepresentation'] else 'u'}{allocated // 8}")
    pixels = np.frombuffer(data, kind, rows * columns, found.start).reshape(1, rows, columns)
    plane = Plane(
        name,
        floats(texts.get("ImagePositionPatient")),
        floats(texts.get("ImageOrientationPatient")),
        floats(texts.get("PixelSpacing")),
        next(iter(floats(texts.get("SliceThickness"))), None),
    )
    frame = Frame(
        plane,
        next(iter(floats(texts.get("RescaleSlope"))), 1.0),
        next(iter(floats(texts.get("RescaleIntercept"))), 0.0),
        acquired(texts),
        texts,
    )
    return Image((frame,), pixels, stored, units_of(texts))


def floats(text: str | None) -> tuple[float, ...]:
    """Return the numbers of a DS element; none if one of them is not a finite number."""
    if not text:
        return ()
    try:
        numbers = tuple(map(float, text.split("\\")))
    except ValueError:
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()


def units_of(texts: Mapping[str, str]) -> str:
    """Return the units of the rescaled values, as far as the file says."""
    if texts.get("Modality") == "PT":
        return texts.get("Units", "")
    named = texts.get("RescaleType", "")
    if named in ("", "US"):  # unspecified
        is_scaled = "RescaleSlope" in texts and "LOCALIZER" not in texts.get("ImageType", "").split("\\")
        return "HU" if texts.get("Modality") == "CT" and is_scaled else ""  # PS3.3 section C.8.2.1.1.5
    return named


def acquired(texts: Mapping[str, str]) -> float | None:
    """Return when an image was acquired, in seconds since 1970."""
    whole = texts.get("AcquisitionDateTime") or ""
    if not whole and texts.get("AcquisitionDate") and texts.get("AcquisitionTime"):
        whole = texts["AcquisitionDate"].replace(".", "") + texts["AcquisitionTime"].replace(":", "")
    return moment_of(whole)


def moment_of(text: str) -> float | None:
    """Return a value of VR DT in seconds since 1970, as if without a time zone it were UTC; None for none."""
    zone = UTC
    for sign in "+-":
        head, found, offset = text.partition(sign)
        if found and len(offset) == 4 and offset.isdecimal():
            minutes = int(offset[:2]) * 60 + int(offset[2:])
            if minutes < 24 * 60:
                text, zone = head, timezone(timedelta(minutes=minutes if sign == "+" else -minutes))
    whole, _, fraction = text.partition(".")
    if len(whole) != 14 or not whole.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    try:
        moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None
    return moment.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
