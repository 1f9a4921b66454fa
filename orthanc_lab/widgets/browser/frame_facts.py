"""What the values and the pixels of a frame mean: place, spacing, rescale, unit. Pure functions on a header."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.elements.slice_image import Place, Region, Spacing

__all__ = ["FrameFacts", "facts_of", "place_of", "rate_of"]

_PROJECTIONS = {"CR", "DX", "MG", "XA", "RF", "RG", "IO", "PX", "XC"}
_CENTIMETRES = 3  # PhysicalUnitsXDirection
_UNITS = {
    "BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml", "CPS": "counts/s", "MLMING": "ml/min/g", "MLMINML": "ml/min/ml",
    "CM2ML": "cm²/ml", "STDDEV": "standard deviations", "SUVLBM": "SUV (lean body mass)", "NONE": "", "PCNT": "%",
    "PROPCNTS": "proportional counts", "PROPCPS": "proportional counts/s", "CM2": "cm²", "1CM": "1/cm",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What the header says of one frame.

    Attributes
    ----------
    slope, intercept
        How a value is made of the stored one.
    is_left_to_us
        Whether slope and intercept stand where a server does not apply them: in the shared functional groups.
    """

    place: Place | None
    spacing: Spacing
    slope: float
    intercept: float
    unit: str
    is_left_to_us: bool


def facts_of(header: Header, frame: int = 0) -> FrameFacts:
    r"""Return what a header says of a frame.

    Examples
    --------
    >>> def tag(value):
    ...     return {"Type": "String", "Value": value}
    >>> header = {"0008,0060": tag("CT"), "0028,0030": tag("2\\1"), "0028,1053": tag("1"), "0028,1052": tag("-1024")}
    >>> facts = facts_of(Header(header))
    >>> facts.spacing.row, facts.spacing.kind, facts.intercept, facts.unit
    (2.0, 'patient', -1024.0, 'HU')
    """
    rescale, is_left_to_us = _rescale(header, frame)
    slopes, intercepts = rescale.numbers("0028,1053"), rescale.numbers("0028,1052")
    is_rescaled = bool(slopes and intercepts)
    return FrameFacts(
        place=_place(header, frame),
        spacing=_spacing(header, frame),
        slope=slopes[0] if is_rescaled else 1.0,
        intercept=intercepts[0] if is_rescaled else 0.0,
        unit=_unit(header, rescale, is_rescaled),
        is_left_to_us=is_rescaled and is_left_to_us,
    )


def _rescale(header: Header, frame: int) -> tuple[Header, bool]:
    """Return where slope and intercept stand, and whether a server ignores them there, as Orthanc does."""
    if header.numbers("0028,1053") and header.numbers("0028,1052"):
        return header, False
    return header.group("0028,9145", frame), header.is_shared("0028,9145", frame)


def place_of(position: str, orientation: str) -> Place | None:
    r"""Return where a slice lies from ImagePositionPatient and ImageOrientationPatient; None if one is missing.

    Examples
    --------
    >>> place_of("0\\0\\5", "1\\0\\0\\0\\1\\0")
    (0.0, 0.0, 5.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    """
    header = Header({"position": {"Value": position}, "orientation": {"Value": orientation}})
    place = header.numbers("position", 3)[:3] + header.numbers("orientation", 6)[:6]
    if len(place) != 9:
        return None
    row, column = place[3:6], place[6:]
    lengths = [sum(one * one for one in vector) for vector in (row, column)]
    across = sum(one * other for one, other in zip(row, column, strict=True))
    is_sound = all(abs(length - 1) < 0.02 for length in lengths) and abs(across) < 0.02
    return tuple(place) if is_sound else None


def _place(header: Header, frame: int) -> Place | None:
    if header.is_quadruped:
        return None
    if header.frames > 1 and not header.has_groups:
        return None  # where the first frame lies says nothing of the others
    position = header.group("0020,9113", frame).text("0020,0032")
    return place_of(position, header.group("0020,9116", frame).text("0020,0037"))


def _spacing(header: Header, frame: int) -> Spacing:
    if regions := _regions(header):
        return Spacing(kind="regions", regions=regions)
    measured = _pair(header.group("0028,9110", frame), "0028,0030")
    at_detector = _pair(header, "0018,1164")
    if measured:
        is_calibrated = bool(header.text("0028,0a02")) or (at_detector is not None and measured != at_detector)
        is_projection = header.text("0008,0060") in _PROJECTIONS and not header.has_groups
        if is_calibrated:
            return Spacing(*measured, "calibrated")
        if at_detector:
            return Spacing(*measured, "detector")
        return Spacing(*measured, "unknown" if is_projection else "patient")
    if at_detector:
        return Spacing(*at_detector, "detector")
    if on_film := _pair(header, "0018,2010"):
        return Spacing(*on_film, "film")
    return Spacing(*(_pair(header, "0028,0034") or (1.0, 1.0)))


def _pair(header: Header, tag: str) -> tuple[float, float] | None:
    numbers = header.numbers(tag, 2)
    return (numbers[0], numbers[1]) if numbers and min(numbers[:2]) > 0 else None


def _regions(header: Header) -> tuple[Region, ...]:
    found = []
    for item in header.items("0018,6011"):
        units = item.number("0018,6024", 0), item.number("0018,6026", 0)
        deltas = abs(item.number("0018,602c", 0)), abs(item.number("0018,602e", 0))
        left, top, right, bottom = (
            int(item.number(tag, -1)) for tag in ("0018,6018", "0018,601a", "0018,601c", "0018,601e")
        )
        if units == (_CENTIMETRES, _CENTIMETRES) and min(deltas) > 0 and min(left, top, right, bottom) >= 0:
            found.append(Region(left, top, right, bottom, row=deltas[1] * 10, column=deltas[0] * 10))
    return tuple(found)


def _unit(header: Header, rescale: Header, is_rescaled: bool) -> str:
    told = rescale.text("0028,1054")
    if told:
        return {"US": "", "OD": "OD/1000"}.get(told, told)
    if header.text("0008,0060") == "CT" and is_rescaled:
        return "HU"
    units = header.text("0054,1001")
    return _UNITS.get(units, units)


def rate_of(header: Header) -> float:
    """Return how many frames per second are shown, 10 if the header does not say."""
    time = header.number("0018,1063", 0)  # FrameTime, in ms
    told = [header.number("0008,2144", 0), header.number("0018,0040", 0), 1000 / time if time > 0 else 0]
    return next((min(max(rate, 1.0), 60.0) for rate in told if rate > 0), 10.0)
