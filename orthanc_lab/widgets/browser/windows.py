"""The windows that suit an image, and the shape of its pixels."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from orthanc_lab.widgets.elements.slice_image import Values, Window

__all__ = ["ValueRange", "aspect", "given_window", "presets"]

_CT = (Window("Soft tissue", 40, 400), Window("Lung", -600, 1500), Window("Bone", 400, 1800), Window("Brain", 40, 80))


def _numbers(tags: Mapping[str, Any], name: str) -> list[float]:
    value = tags.get(name)
    try:
        return [float(part) for part in str(value).split("\\")] if value else []
    except ValueError:
        return []


def given_window(tags: Mapping[str, Any]) -> Window | None:
    r"""Return the first window in the tags of an instance.

    Examples
    --------
    >>> given_window({"WindowCenter": "50\\-600", "WindowWidth": "350\\1500"})
    Window(name='As stored', center=50.0, width=350.0)
    """
    centers, widths = _numbers(tags, "WindowCenter"), _numbers(tags, "WindowWidth")
    if not centers or not widths or widths[0] < 1:
        return None
    return Window("As stored", centers[0], widths[0])


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


def presets(tags: Mapping[str, Any], all_values: Window) -> list[Window]:
    """Return the windows to choose from, the best first."""
    given = given_window(tags)
    tissues = _CT if tags.get("Modality") == "CT" else ()
    return [*([given] if given else []), all_values, *tissues]


def aspect(tags: Mapping[str, Any]) -> float:
    r"""Return the ratio of a pixel's height to its width.

    Examples
    --------
    >>> aspect({"PixelSpacing": "2\\1"})
    2.0
    """
    for name in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        numbers = _numbers(tags, name)
        if len(numbers) == 2 and min(numbers) > 0:
            return numbers[0] / numbers[1]
    return 1.0
