"""Comparing DICOM files element by element, with VR and the bytes of the value."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.images import compare_images
from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["compare_dicom"]

_OFFSETS = frozenset({0x00041200, 0x00041202, 0x00041400, 0x00041420})
_RECORDS = 0x00041220
_LENGTHS = frozenset({0x00020000})
_PIXEL_DATA = 0x7FE00010
_JPEG = b"\xff\xd8\xff"
# The end of a JPEG or JPEG-LS frame of odd length; the real server leaves what happens to be there as the next byte.
_PADDING = re.compile(rb"\xff\xd9.(?=\xfe\xff[\0\xdd]\xe0|\Z)", re.DOTALL)


def compare_dicom(ours: bytes, real: bytes, pairs: Pairs, name: str = "dicom") -> Iterator[Difference]:
    """Compare the file meta information and data sets of two DICOM files.

    JPEG pixel data are compared approximately, by the first frame; offsets inside a DICOMDIR by
    the record that they point to.
    """
    if ours == real:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mine, theirs = (pydicom.dcmread(io.BytesIO(body), force=True) for body in (ours, real))
            yield from _Comparison(pairs, {}, {}).compare(mine.file_meta, theirs.file_meta, name)
            yield from _Comparison(pairs, _records(mine), _records(theirs)).compare(mine, theirs, name)
        except Exception as error:  # a malformed file may cause any error in the reader; only the bytes are left
            yield Difference.of(f"{name} bytes", f"{len(ours)} bytes ({error!r})", f"{len(real)} bytes")


def _records(data_set: Dataset) -> dict[int, int]:
    """Return the index of each directory record by its offset in the file."""
    if _RECORDS not in data_set:
        return {}
    return {item.seq_item_tell: index + 1 for index, item in enumerate(data_set[_RECORDS].value)} | {0: 0}


@dataclass(frozen=True, slots=True)
class _Comparison:
    pairs: Pairs
    our_records: dict[int, int]  # index of a directory record by its offset
    real_records: dict[int, int]

    def compare(self, ours: Dataset, real: Dataset, name: str) -> Iterator[Difference]:
        for tag in sorted({*ours.keys(), *real.keys()}):
            label = f"{name} ({tag.group:04x},{tag.element:04x})"
            if int(tag) in _LENGTHS:
                continue
            if tag not in ours or tag not in real:
                yield Difference.of(label, _shown(ours, tag), _shown(real, tag))
                continue
            mine, theirs = _element(ours, tag), _element(real, tag)
            if mine.VR != theirs.VR:
                yield Difference.of(f"{label} VR", mine.VR, theirs.VR)
            elif mine.VR == "SQ":
                yield from self._compare_items(mine.value, theirs.value, label)
            elif int(tag) == _PIXEL_DATA and _JPEG in mine.value and _JPEG in theirs.value:
                values = [_PADDING.sub(b"\xff\xd9\0", value) for value in (mine.value, theirs.value)]
                if values[0] != values[1]:
                    yield from compare_images(*(value[value.index(_JPEG) :] for value in values), lossy=True)
            elif not self._values_alike(int(tag), mine, theirs):
                yield Difference.of(label, _shown(ours, tag), _shown(real, tag))

    def _compare_items(self, ours: Any, real: Any, label: str) -> Iterator[Difference]:
        if len(ours) != len(real):
            yield Difference.of(f"{label} items", len(ours), len(real))
            return
        for index, (item, their_item) in enumerate(zip(ours, real, strict=True)):
            yield from self.compare(item, their_item, f"{label}[{index}]")

    def _values_alike(self, tag: int, ours: Any, real: Any) -> bool:
        if tag in _OFFSETS:
            return self.our_records.get(_offset(ours)) == self.real_records.get(_offset(real))
        mine, theirs = ours.value, real.value
        if mine == theirs:
            return True
        if isinstance(mine, bytes) and isinstance(theirs, bytes):
            mine, theirs = (value.decode("latin-1").rstrip("\0 ") for value in (mine, theirs))
        return self.pairs.alike(str(mine), str(theirs))


@dataclass(frozen=True, slots=True)
class _Element:
    VR: str
    value: Any  # the bytes as read; a sequence for SQ


def _element(data_set: Dataset, tag: Any) -> _Element:
    """Return the element as read, with the VR from the dictionary if the file does not contain it."""
    raw = data_set.get_item(tag)
    if not isinstance(raw, RawDataElement):
        element = data_set[tag]
        return _Element(str(element.VR), element.value)
    vr = raw.VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
    return _Element(vr, data_set[tag].value) if vr == "SQ" else _Element(vr, raw.value)


def _offset(element: Any) -> int:
    return int.from_bytes(element.value, "little") if isinstance(element.value, bytes) else int(element.value)


def _shown(data_set: Dataset, tag: Any) -> str:
    if tag not in data_set:
        return "(absent)"
    element = _element(data_set, tag)
    return f"{element.VR} {element.value!r}"
