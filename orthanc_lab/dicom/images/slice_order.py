"""The order of the slices of a series: along the normal of their planes, else by their numbers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orthanc_lab.dicom.decimal_text import is_decimal

__all__ = ["OrderedSlices", "Slice", "order_slices"]

_POSITION, _ORIENTATION = "0020,0032", "0020,0037"
_NUMBERS = ("0020,0013", "0054,1330")  # InstanceNumber, ImageIndex
_FRAMES = "0028,0008"
_DISTANCE = 1e-6  # mm: closer slices are the same one
_SAME_NORMAL = 1e-4
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}\Z", re.ASCII)

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Slice:
    """An instance of a series."""

    instance: str  # Orthanc identifier
    tags: Mapping[str, str]  # main DICOM tags, "gggg,eeee" -> value

    @property
    def frames(self) -> int:
        """Number of its frames, 1 if not given."""
        text = self.tags.get(_FRAMES, "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 1

    @property
    def number(self) -> int | None:
        """Its number in the series."""
        for tag in _NUMBERS:
            text = self.tags.get(tag, "").strip()
            if _INTEGER.match(text):
                return int(text)
        return None

    @property
    def normal(self) -> Vector | None:
        """Normal of its plane, of length 1."""
        values = _floats(self.tags.get(_ORIENTATION, ""), 6)
        if values is None:
            return None
        a, b = values[:3], values[3:]
        x, y, z = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
        length = (x * x + y * y + z * z) ** 0.5
        return None if abs(length - 1) > 0.1 else (x / length, y / length, z / length)

    def distance(self, normal: Vector) -> float | None:
        """Where its plane cuts a line through the origin, in mm."""
        position = _floats(self.tags.get(_POSITION, ""), 3)
        return None if position is None else sum(a * b for a, b in zip(position, normal, strict=True))


@dataclass(frozen=True, slots=True)
class OrderedSlices:
    """The slices of a series in their order."""

    slices: Sequence[Slice]
    is_volume: bool  # ordered by their places in space, no two at the same


def order_slices(slices: Sequence[Slice]) -> OrderedSlices | None:
    """Order the slices of a series.

    Returns
    -------
    OrderedSlices or None
        None if several slices are ordered neither by their planes nor by their numbers.
    """
    volume = _by_distance(slices)
    if volume is not None:
        return OrderedSlices(volume, True)
    if len(slices) == 1:
        return OrderedSlices(slices, False)
    numbers = {item.instance: item.number for item in slices}
    if any(number is None for number in numbers.values()):
        return None
    return OrderedSlices(sorted(slices, key=lambda item: numbers[item.instance] or 0), False)


def _by_distance(slices: Sequence[Slice]) -> list[Slice] | None:
    normal = slices[0].normal if len(slices) > 1 else None
    if normal is None:
        return None
    placed = []
    for item in slices:
        other, distance = item.normal, item.distance(normal)
        if other is None or distance is None or max(map(abs, _difference(normal, other))) > _SAME_NORMAL:
            return None
        placed.append((distance, item))
    placed.sort(key=lambda pair: pair[0])
    if any(after[0] - before[0] < _DISTANCE for before, after in itertools.pairwise(placed)):
        return None
    return [item for _, item in placed]


def _difference(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _floats(text: str, count: int) -> list[float] | None:
    parts = [part.strip() for part in text.split("\\")]
    if len(parts) != count or not all(map(is_decimal, parts)):
        return None
    return [float(part) for part in parts]
