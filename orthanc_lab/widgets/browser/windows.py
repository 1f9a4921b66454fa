"""The windows that suit an image."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.elements.slice_image import Values, Window

__all__ = ["ValueRange", "given_windows", "presets"]

_BY_MODALITY = {
    "CT": (
        Window("Soft tissue", 40, 400),
        Window("Lung", -600, 1500),
        Window("Bone", 400, 1800),
        Window("Brain", 40, 80),
        Window("Mediastinum", 50, 350),
        Window("Liver", 60, 160),
        Window("Angiography", 300, 600),
    ),
}


def _numbers(tags: Mapping[str, Any], name: str) -> list[float]:
    value = tags.get(name)
    try:
        return [float(part) for part in str(value).split("\\")] if value else []
    except ValueError:
        return []


def given_windows(header: Header, frame: int = 0) -> list[Window]:
    r"""Return the windows that a header has for a frame.

    Examples
    --------
    >>> tags = {"0028,1050": {"Value": "50\\-600"}, "0028,1051": {"Value": "350\\1500"}}
    >>> given_windows(Header(tags))[0]
    Window(name='As stored', center=50.0, width=350.0)
    """
    group = header.group("0028,9132", frame)
    centers, widths = group.numbers("0028,1050"), group.numbers("0028,1051")
    names = [name.strip() for name in group.text("0028,1055").split("\\")]
    found = []
    for number, (center, width) in enumerate(zip(centers, widths, strict=False)):
        name = names[number] if number < len(names) else ""
        stored = "As stored" if number == 0 else f"As stored, {number + 1}"
        found.append(Window(f"{stored}: {name}" if name else stored, center, width))
    return [window for window in found if window.width >= 1]


class ValueRange:
    """The range of the values of a stack: of unsigned images of at most 8 bits the possible one, else the one seen.

    Examples
    --------
    >>> import numpy as np
    >>> seen = ValueRange({})
    >>> seen.add(np.array([[5, 9]])), seen.add(np.array([[6]])), seen.window
    (True, False, Window(name='All values', center=7.0, width=4.0))
    """

    def __init__(self, tags: Mapping[str, Any]) -> None:
        self._lock = threading.Lock()
        self._ends = _possible(tags)
        self._is_fixed = self._ends is not None

    def add(self, values: Values) -> bool:
        """Take in the values of a slice, and return whether the range has become wider."""
        if self._is_fixed or not values.size:
            return False
        low, high = float(values.min()), float(values.max())
        with self._lock:
            before = self._ends
            self._ends = (low, high) if before is None else (min(low, before[0]), max(high, before[1]))
            return self._ends != before

    @property
    def window(self) -> Window:
        """The window from the lowest to the highest value."""
        low, high = self._ends or (0.0, 0.0)
        return Window("All values", (low + high) / 2, max(high - low, 1.0))


def _possible(tags: Mapping[str, Any]) -> tuple[float, float] | None:
    bits, sign = _numbers(tags, "BitsStored"), _numbers(tags, "PixelRepresentation")
    if not bits or bits[0] > 8 or sign[:1] == [1.0]:
        return None
    slope = (_numbers(tags, "RescaleSlope") or [1.0])[0]
    intercept = (_numbers(tags, "RescaleIntercept") or [0.0])[0]
    ends = (intercept, (2 ** bits[0] - 1) * slope + intercept)
    return min(ends), max(ends)


def presets(modality: str, given: Sequence[Window], all_values: Window) -> list[Window]:
    """Return the windows to choose from, the best first."""
    return [*given, all_values, *_BY_MODALITY.get(modality, ())]
