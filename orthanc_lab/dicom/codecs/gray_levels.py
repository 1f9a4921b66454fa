"""Gray values fitted to the bits of a lossy JPEG: those of the modality, from the smallest that occurs.

Rescale Slope and Intercept lead back to them (PS3.3 section C.11.1), as far as the kind of image has them.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from orthanc_lab.dicom.codecs.codec import Array
from orthanc_lab.dicom.decimal_text import LONGEST
from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.images.image_description import ImageDescription, items_of, text_of
from orthanc_lab.dicom.images.rendering import rescale_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["GrayLevels", "fit_gray_levels"]

_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_ROOM = 1023  # that Orthanc leaves below negative values of 12 bits
_AT_ONCE = 1 << 20  # pixels that are looked up
_NUMBER = re.compile(r"\s*+([+-]?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)", re.ASCII)
_XRAY = "1.2.840.10008.5.1.4.1.1.12."  # angiographic and radiofluoroscopic images have no modality values


@dataclass(frozen=True, slots=True)
class GrayLevels:
    """How stored values become the samples of a lossy JPEG."""

    samples: Array  # by stored bits
    bits: int  # of a sample: 8 or 12
    intercept: int  # modality value of the sample 0
    slope: float  # between two samples
    source: ImageDescription
    source_bits: int  # that hold all modality values which the stored bits can mean

    @property
    def description(self) -> ImageDescription:
        """The form of the samples."""
        allocated = 8 if self.bits == 8 else 16
        return replace(
            self.source, bits_allocated=allocated, bits_stored=self.bits, high_bit=self.bits - 1, signed=False
        )

    def apply(self, frame: Array) -> Array:
        """Return the samples of a frame."""
        return np.concatenate([np.take(self.samples, part) for part in _stored_bits(frame, self.source)])

    def describe(self, data_set: DataSet) -> None:
        """Set the elements that tell the form of the samples, and the modality values behind them."""
        form = self.description
        data_set[tags.BITS_ALLOCATED] = _number(form.bits_allocated)
        data_set[tags.BITS_STORED] = _number(form.bits_stored)
        data_set[tags.HIGH_BIT] = _number(form.high_bit)
        data_set[tags.PIXEL_REPRESENTATION] = _number(0)
        had_slope = tags.RESCALE_SLOPE in data_set
        for tag in (tags.MODALITY_LUT_SEQUENCE, tags.RESCALE_SLOPE, tags.RESCALE_INTERCEPT):
            data_set.pop(tag, None)
        sop_class = text_of(data_set, tags.SOP_CLASS_UID)
        if sop_class != _CT_IMAGE:
            self._move_windows(data_set)
        if sop_class.startswith(_XRAY):
            data_set.pop(tags.RESCALE_TYPE, None)
            data_set[tags.PIXEL_INTENSITY_RELATIONSHIP] = _text("CS", "DISP")
        elif sop_class == _CT_IMAGE:
            if had_slope or (self.slope, self.intercept) != (1, 0):
                data_set[tags.RESCALE_SLOPE] = _text("DS", f"{self.slope:G}")
                data_set[tags.RESCALE_INTERCEPT] = _text("DS", f"{self.intercept:G}")
        elif had_slope:
            # As in Orthanc: outside CT the samples count as values of no unit.
            data_set[tags.RESCALE_SLOPE] = _text("DS", "1")
            data_set[tags.RESCALE_INTERCEPT] = _text("DS", "0")
            data_set[tags.RESCALE_TYPE] = _text("LO", "US")

    def _move_windows(self, data_set: DataSet) -> None:
        """Let the windows, which were on values of the modality, fit the samples; a table cannot be made to fit."""
        data_set.pop(tags.VOI_LUT_SEQUENCE, None)
        window = (tags.WINDOW_CENTER, tags.WINDOW_WIDTH)
        if (self.slope, self.intercept) == (1, 0) or not any(tag in data_set for tag in window):
            return
        pairs = zip(*(map(_leading_number, text_of(data_set, tag).split("\\")) for tag in window), strict=False)
        found = [
            (f"{(center - self.intercept) / self.slope:G}", f"{width / self.slope:G}")
            for center, width in pairs
            if center is not None and width is not None
        ]
        for tag, values in zip(window, zip(*found, strict=True) if found else ((), ()), strict=True):
            data_set.pop(tag, None)
            if values:
                data_set[tag] = _text("DS", "\\".join(values))
        if found and tags.WINDOW_CENTER_WIDTH_EXPLANATION not in data_set:
            text = "\\".join(f"center={center}/width={width}" for center, width in found)
            data_set[tags.WINDOW_CENTER_WIDTH_EXPLANATION] = _text("LO", text)


def _leading_number(text: str) -> float | None:
    """Read the number at the beginning of a text, as the real server does; None if there is none, or it is endless."""
    match = _NUMBER.match(text[:LONGEST])
    number = float(match[1]) if match else math.inf
    return number if math.isfinite(number) else None


def fit_gray_levels(data_set: DataSet, description: ImageDescription, frames: Iterable[Array], bits: int) -> GrayLevels:
    """Return how the values of an image fit into samples of `bits` bits.

    Parameters
    ----------
    frames
        All frames as they are stored.
    """
    values = _modality_values(data_set, description)
    used = np.zeros(len(values), bool)
    for frame in frames:
        for part in _stored_bits(frame, description):
            used[part] = True
    found = values[used]
    low, high = int(found.min()), int(found.max())
    source_bits = width = _bits_of(int(values.min()), int(values.max()))
    if width > bits or not values.any():
        width = max(bits, (high - low).bit_length())
    span, full = (1 << width) - 1, (1 << bits) - 1
    if bits == 12 and span == full and low < 0 and high - low <= full - _ROOM:
        low -= _ROOM
    steps = np.clip(values - low, 0, high - low)
    samples = np.trunc(steps * (full / span)) if span != full else steps
    kind = np.uint8 if bits == 8 else np.uint16
    return GrayLevels(samples.astype(kind), bits, low, span / full, description, source_bits)


def _modality_values(data_set: DataSet, description: ImageDescription) -> Array:
    """Return the modality value of each stored bit pattern, cut off to whole numbers."""
    count = 1 << description.bits_stored
    values: Array = np.arange(count)
    if description.signed:
        values[count // 2 :] -= count
    if text_of(data_set, tags.SOP_CLASS_UID).startswith(_XRAY):
        return values
    tables = items_of(data_set, tags.MODALITY_LUT_SEQUENCE)
    if tables:
        return _looked_up(values, tables[0])
    rescale = rescale_of(data_set)
    if not rescale.slope:
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        rescaled: Array = np.trunc(values * rescale.slope + rescale.intercept)
    if not np.abs(rescaled).max() < 2**52:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, "The rescaled values are too large")
    return rescaled.astype(np.int64)


def _looked_up(values: Array, table: DataSet) -> Array:
    form, data = table.get(tags.LUT_DESCRIPTOR), table.get(tags.LUT_DATA)
    if form is None or data is None or not isinstance(form.value, bytes) or not isinstance(data.value, bytes):
        return values
    if len(form.value) < 6:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    count, first, _ = struct.unpack("<HhH" if values.min() < 0 else "<HHH", form.value[:6])
    count = count or 65536
    entries = np.frombuffer(data.value, "<u2", min(count, len(data.value) // 2))
    if len(entries) < count:
        entries = np.frombuffer(data.value, np.uint8, min(count, len(data.value)))
    if len(entries) < count:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    found: Array = entries[np.clip(values - first, 0, count - 1)].astype(np.int64)
    return found


def _stored_bits(frame: Array, description: ImageDescription) -> Iterator[Array]:
    """Yield them for some rows at a time: as indices, they take eight bytes each."""
    shift = min(max(description.high_bit + 1 - description.bits_stored, 0), description.bits_allocated)
    step = max(_AT_ONCE // frame.shape[1], 1)
    for start in range(0, len(frame), step):
        part = frame[start : start + step]
        yield part.view(f"u{frame.dtype.itemsize}") >> shift & (1 << description.bits_stored) - 1


def _bits_of(low: int, high: int) -> int:
    """Return the bits that hold whole numbers from `low` to `high`, in two's complement if some are negative."""
    if low >= 0:
        return max(high.bit_length(), 1)
    return max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1


def _number(value: int) -> Element:
    return Element("US", struct.pack("<H", value))


def _text(vr: str, value: str) -> Element:
    return Element(vr, padded(value.encode(), b" "))
