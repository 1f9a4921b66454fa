"""Files that pydicom reads: compressed ones, colours, and many frames in one file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from orthanc_lab.client import jpeg_decoder
from orthanc_lab.client.volumes.geometry import Plane
from orthanc_lab.client.volumes.images import Frame, Image, acquired, floats, moment_of, units_of

__all__ = ["read_by_pydicom"]

_RTDOSE = "RTDOSE"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_by_pydicom(data: bytes, name: str, keywords: Mapping[str, int]) -> Image | None:
    """Return the frames of a file; None if it has no pixels.

    Raises
    ------
    ValueError
        If it cannot be read; the message says why.
    """
    jpeg_decoder.register()
    try:
        data_set = pydicom.dcmread(io.BytesIO(data))
        if not any(key in data_set for key in _PIXELS):
            return None
        return _image(data_set, name, keywords)
    except Exception as error:  # pydicom and its plug-ins raise all kinds
        raise ValueError(f"The pixels of {name} cannot be decoded: {error}") from error


def _image(data_set: Dataset, name: str, keywords: Mapping[str, int]) -> Image:
    pixels = data_set.pixel_array
    bits = int(data_set.get("BitsStored") or 8 * pixels.dtype.itemsize)
    if "ModalityLUTSequence" in data_set:
        pixels = apply_modality_lut(pixels, data_set)
        bits = 8 * pixels.dtype.itemsize
    if pixels.ndim == (3 if _samples(data_set) > 1 else 2):
        pixels = pixels[np.newaxis]
    texts = {keyword: _text(data_set.get(keyword)) for keyword in keywords if keyword in data_set}
    frames = [_frame(data_set, number, name, texts, keywords) for number in range(len(pixels))]
    return Image(frames, pixels, bits, _units(data_set, texts))


def _samples(data_set: Dataset) -> int:
    return int(data_set.get("SamplesPerPixel") or 1)


def _count(data_set: Dataset) -> int:
    return int(data_set.get("NumberOfFrames") or 1)


def _frame(data_set: Dataset, number: int, name: str, texts: Mapping[str, str], keywords: Mapping[str, int]) -> Frame:
    groups = _groups(data_set, number)
    values = {**texts, **_values_in(groups, keywords)}
    named = name if _count(data_set) == 1 else f"{name}, frame {number + 1}"
    position = _numbers(groups, "PlanePositionSequence", "ImagePositionPatient") or _position(data_set, number, texts)
    plane = Plane(
        named,
        position,
        _numbers(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
        or floats(texts.get("ImageOrientationPatient")),
        _numbers(groups, "PixelMeasuresSequence", "PixelSpacing") or floats(texts.get("PixelSpacing")),
        next(
            iter(_numbers(groups, "PixelMeasuresSequence", "SliceThickness") or floats(texts.get("SliceThickness"))),
            None,
        ),
    )
    slope, intercept = _rescaling(data_set, groups, texts)
    return Frame(plane, slope, intercept, _seconds(data_set, groups, number, texts), values)


def _groups(data_set: Dataset, number: int) -> Sequence[Dataset]:
    """Return the functional groups of a frame: its own, then those that all share."""
    own = data_set.get("PerFrameFunctionalGroupsSequence") or []
    shared = data_set.get("SharedFunctionalGroupsSequence") or []
    return [*own[number : number + 1], *shared[:1]]


def _macro(groups: Sequence[Dataset], sequence: str) -> Dataset | None:
    for group in groups:
        if group.get(sequence):
            found: Dataset = group[sequence].value[0]
            return found
    return None


def _numbers(groups: Sequence[Dataset], sequence: str, keyword: str) -> tuple[float, ...]:
    macro = _macro(groups, sequence)
    return floats(_text(macro.get(keyword))) if macro is not None else ()


def _values_in(groups: Sequence[Dataset], keywords: Mapping[str, int]) -> dict[str, str]:
    values: dict[str, str] = {}
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                for keyword in keywords:
                    if keyword not in values and keyword in element.value[0]:
                        values[keyword] = _text(element.value[0].get(keyword))
    return values


def _position(data_set: Dataset, number: int, texts: Mapping[str, str]) -> tuple[float, ...]:
    """Return where a frame lies, of a file whose frames have no functional groups."""
    position, orientation = floats(texts.get("ImagePositionPatient")), floats(texts.get("ImageOrientationPatient"))
    if _count(data_set) == 1:
        return position
    offsets = floats(_text(data_set.get("GridFrameOffsetVector")))
    if len(position) != 3 or len(orientation) != 6 or number >= len(offsets):
        return ()
    normal = np.cross(orientation[:3], orientation[3:])
    return tuple(map(float, np.asarray(position) + normal * (offsets[number] - offsets[0])))


def _rescaling(data_set: Dataset, groups: Sequence[Dataset], texts: Mapping[str, str]) -> tuple[float, float]:
    if "ModalityLUTSequence" in data_set:
        return 1.0, 0.0  # it was applied
    if data_set.get("Modality") == _RTDOSE:
        return next(iter(floats(_text(data_set.get("DoseGridScaling")))), 1.0), 0.0
    slope = _numbers(groups, "PixelValueTransformationSequence", "RescaleSlope") or floats(texts.get("RescaleSlope"))
    intercept = _numbers(groups, "PixelValueTransformationSequence", "RescaleIntercept")
    intercept = intercept or floats(texts.get("RescaleIntercept"))
    return next(iter(slope), 1.0), next(iter(intercept), 0.0)


def _seconds(data_set: Dataset, groups: Sequence[Dataset], number: int, texts: Mapping[str, str]) -> float | None:
    content = _macro(groups, "FrameContentSequence")
    if content is not None:
        for keyword in ("FrameAcquisitionDateTime", "FrameReferenceDateTime"):
            seconds = moment_of(_text(content.get(keyword)))
            if seconds is not None:
                return seconds
    begin = acquired(texts)
    steps = floats(_text(data_set.get("FrameTimeVector")))
    if number < len(steps):
        return (begin or 0.0) + sum(steps[: number + 1]) / 1000
    step = floats(_text(data_set.get("FrameTime")))
    if step:
        return (begin or 0.0) + number * step[0] / 1000
    return begin


def _units(data_set: Dataset, texts: Mapping[str, str]) -> str:
    if data_set.get("Modality") == _RTDOSE:
        return _text(data_set.get("DoseUnits"))
    macro = _macro(_groups(data_set, 0), "PixelValueTransformationSequence")
    if macro is not None:
        return units_of({**texts, "RescaleType": _text(macro.get("RescaleType")), "RescaleSlope": "1"})
    return units_of(texts)


def _text(value: Any) -> str:
    """Return a value as it stands in a file."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(map(str, value))
    return str(value)
