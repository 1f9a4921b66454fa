"""How the images of a series lie in space: pure functions on numbers.

Coordinates are DICOM's: millimetres, x to the left, y to the back, z to the head of the patient (LPS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Grid", "Plane", "grid_of", "letters_of"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

_SAME_DIRECTION = 1e-3  # difference of direction cosines
_SAME_SPACING = 1e-3  # relative difference
_SAME_PLACE = 1e-3  # mm; the positions in files are rounded
_OFF = 0.01  # share of the distance of two slices by which a slice may be off its place
_UPRIGHT = 0.1  # degrees
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Plane:
    """Where an image lies."""

    name: str  # for messages: ``instance 5``
    position: tuple[float, ...] = ()  # of the centre of the first pixel; three numbers, or none
    orientation: tuple[float, ...] = ()  # directions of a row and of a column; six numbers, or none
    pixel_spacing: tuple[float, ...] = ()  # between rows, and between columns; two numbers, or none
    thickness: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """How images are stacked."""

    order: tuple[int, ...]  # of the planes that were given
    spacing: tuple[float | None, float | None, float | None]  # of slices, rows and columns
    affine: Array | None  # from (slice, row, column, 1) to (x, y, z, 1); None if they form no grid
    tilt: float  # degrees between the direction of the stack and that of the slices
    problems: tuple[str, ...]  # why there is no grid
    remarks: tuple[str, ...]  # what should be known of the grid
    twins: int = 1  # images at each place, if that is the same number everywhere


def grid_of(planes: Sequence[Plane]) -> Grid:
    """Return how images are stacked: along their normal, at equal distances.

    Parameters
    ----------
    planes
        At least one, in the order for images without a place in space.
    """
    unplaced = [plane for plane in planes if len(plane.position) != 3 or len(plane.orientation) != 6]
    if unplaced:
        return _unplaced(planes, unplaced)
    rows, columns = _directions(planes[0])
    problems = [*_differing(planes), *_skewed(rows, columns)]
    normal = np.cross(rows, columns)
    positions = np.array([plane.position for plane in planes], dtype=np.float64)
    along = positions @ normal
    order = sorted(range(len(planes)), key=lambda number: (float(along[number]), number))
    step, tilt, remarks = _step(planes, order, positions, normal, problems)
    between = _pixel_spacing(planes[0])
    if between is None:
        problems.append("The files do not say how far pixels are apart (PixelSpacing)")
    affine = None
    if not problems and step is not None and between is not None:
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1], affine[:3, 2] = step, columns * between[0], rows * between[1]
        affine[:3, 3] = positions[order[0]]
    distance = float(np.linalg.norm(step)) if step is not None and not problems else None
    spacing = (distance, *(between or (None, None)))
    return Grid(tuple(order), spacing, affine, tilt, tuple(problems), tuple(remarks), _twins(along[order]))


def letters_of(affine: Array) -> str:
    """Return to which side of the patient slices, rows and columns go: ``SPL`` for the usual axial series."""
    letters = ""
    for axis in range(3):
        direction = affine[:3, axis]
        largest = int(np.argmax(np.abs(direction)))
        letters += ("LR", "PA", "SI")[largest][int(direction[largest] < 0)]
    return letters


def _unplaced(planes: Sequence[Plane], unplaced: Sequence[Plane]) -> Grid:
    between = _pixel_spacing(planes[0])
    rows, columns = between or (None, None)
    if len(unplaced) < len(planes):
        problems = (f"Without a place in space: {_named([plane.name for plane in unplaced])}",)
        return Grid(tuple(range(len(planes))), (None, rows, columns), None, 0.0, problems, ())
    remarks = [
        "The files do not say where the images lie (ImagePositionPatient, ImageOrientationPatient): they are in the "
        "order of their numbers"
    ]
    return Grid(tuple(range(len(planes))), (None, rows, columns), None, 0.0, tuple(_differing(planes)), tuple(remarks))


def _directions(plane: Plane) -> tuple[Array, Array]:
    orientation = np.array(plane.orientation, dtype=np.float64)
    return orientation[:3], orientation[3:]


def _pixel_spacing(plane: Plane) -> tuple[float, float] | None:
    if len(plane.pixel_spacing) == 2 and min(plane.pixel_spacing) > 0:
        return plane.pixel_spacing[0], plane.pixel_spacing[1]
    return None


def _skewed(rows: Array, columns: Array) -> list[str]:
    is_right = (
        abs(float(np.linalg.norm(rows)) - 1) < _SAME_DIRECTION
        and abs(float(np.linalg.norm(columns)) - 1) < _SAME_DIRECTION
        and abs(float(rows @ columns)) < _SAME_DIRECTION
    )
    return [] if is_right else ["ImageOrientationPatient does not hold two perpendicular directions of length 1"]


def _differing(planes: Sequence[Plane]) -> list[str]:
    """Return what differs between images of what all have to share."""
    first = planes[0]
    turned = [plane.name for plane in planes if not _is_close(plane.orientation, first.orientation, _SAME_DIRECTION)]
    scaled = [
        plane.name
        for plane in planes
        if not _is_close(plane.pixel_spacing, first.pixel_spacing, _SAME_SPACING * max(first.pixel_spacing, default=1))
    ]
    problems = []
    if turned:
        problems.append(f"Other directions (ImageOrientationPatient) than {first.name}: {_named(turned)}")
    if scaled:
        problems.append(f"Other distances of pixels (PixelSpacing) than {first.name}: {_named(scaled)}")
    return problems


def _is_close(one: Sequence[float], other: Sequence[float], most: float) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


def _step(
    planes: Sequence[Plane], order: Sequence[int], positions: Array, normal: Array, problems: list[str]
) -> tuple[Array | None, float, list[str]]:
    """Return the way from a slice to the next, the tilt, and remarks; what is wrong is added to `problems`."""
    if len(order) == 1:
        thickness = planes[0].thickness
        if not thickness:
            return None, 0.0, ["A single slice, whose thickness the file does not say"]
        return normal * thickness, 0.0, ["A single slice: the distance of slices is its thickness (SliceThickness)"]
    ordered = positions[list(order)]
    names = [planes[number].name for number in order]
    gaps = np.diff(ordered @ normal)
    twins = [f"{names[at]} and {names[at + 1]}" for at, gap in enumerate(gaps) if gap < _SAME_PLACE]
    if twins:
        problems.append(f"At the same place: {_named(twins)}")
        return None, 0.0, []
    step = (ordered[-1] - ordered[0]) / (len(order) - 1)
    expected = ordered[0] + np.arange(len(order))[:, None] * step
    off = np.linalg.norm(ordered - expected, axis=1)
    if float(off.max()) > _OFF * float(np.linalg.norm(step)) + _SAME_PLACE:
        problems.append(_irregularity(names, ordered, gaps, normal))
        return None, 0.0, []
    cosine = float(step @ normal) / float(np.linalg.norm(step)) / float(np.linalg.norm(normal))
    tilt = float(np.degrees(np.arccos(min(cosine, 1.0))))
    if tilt < _UPRIGHT:
        return step, 0.0, []
    return step, tilt, [f"The slices are tilted by {tilt:.1f}° against the direction in which they are stacked"]


def _twins(along: Array) -> int:
    """Return how many images there are at each place; 1 if that differs."""
    starts = np.flatnonzero(np.diff(along, prepend=-np.inf) >= _SAME_PLACE)
    sizes = np.diff(np.append(starts, len(along)))
    return int(sizes[0]) if len(sizes) > 1 and len(set(map(int, sizes))) == 1 else 1


def _irregularity(names: Sequence[str], ordered: Array, gaps: Array, normal: Array) -> str:
    usual = float(np.median(gaps))
    wide = [
        f"{names[at]} and {names[at + 1]} ({gap:.2f} mm)"
        for at, gap in enumerate(gaps)
        if abs(gap - usual) > 0.05 * usual
    ]
    if not wide:
        return "The slices are not stacked along a straight line, or drift"
    multiples = [round(float(gap) / usual) - 1 for gap in gaps if abs(gap - usual) > 0.05 * usual]
    whole = all(more >= 1 for more in multiples) and all(
        abs(gap / usual - round(gap / usual)) < 0.05 for gap in map(float, gaps)
    )
    if whole:
        missing = sum(multiples)
        return f"{_count(missing)} missing: slices are {usual:.2f} mm apart, but not {_named(wide)}"
    return f"The distances of slices differ: they are mostly {usual:.2f} mm apart, but not {_named(wide)}"


def _count(number: int) -> str:
    return "A slice is" if number == 1 else f"{number} slices are"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
