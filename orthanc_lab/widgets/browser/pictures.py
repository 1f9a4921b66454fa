"""Frames as what a viewer draws; the windows that suit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["Picture", "Window", "aspect", "given_window", "presets", "values_window"]

Values = np.ndarray[Any, np.dtype[Any]]

_LARGEST = 1024  # pixels of a side; larger pictures are thinned out


@dataclass(frozen=True, slots=True)
class Picture:
    """The values of a frame, or why there are none."""

    data: bytes = b""
    rows: int = 0
    columns: int = 0
    kind: Literal["int16", "float32", "rgb", "none"] = "none"
    step: int = 1  # every so many-th pixel is there
    words: str = ""

    @classmethod
    def of(cls, values: Values) -> Picture:
        """Return a picture of values of shape (rows, columns), or (rows, columns, 3).

        Examples
        --------
        >>> picture = Picture.of(np.zeros((2000, 10), "float32"))
        >>> picture.rows, picture.columns, picture.kind, picture.step
        (1000, 5, 'int16', 2)
        """
        step = -(-max(values.shape[:2]) // _LARGEST)
        values = values[::step, ::step]
        rows, columns = values.shape[:2]
        if values.ndim == 3:
            return cls(np.ascontiguousarray(values, "u1").tobytes(), rows, columns, "rgb", step)
        whole = values.astype("<i2") if _fits(values) else None
        if whole is not None and np.array_equal(whole, values):
            return cls(whole.tobytes(), rows, columns, "int16", step)
        return cls(values.astype("<f4").tobytes(), rows, columns, "float32", step)


def _fits(values: Values) -> bool:
    return bool(values.size and values.min() >= -32768 and values.max() <= 32767)


@dataclass(frozen=True, slots=True)
class Window:
    """Which values are drawn from black to white."""

    name: str
    center: float
    width: float

    def plain(self) -> dict[str, Any]:
        """Return what the browser reads."""
        return asdict(self)


_CT = (Window("Soft tissue", 40, 400), Window("Lung", -600, 1500), Window("Bone", 400, 1800), Window("Brain", 40, 80))


def _numbers(tags: Mapping[str, Any], name: str) -> list[float]:
    value = tags.get(name)
    try:
        return [float(part) for part in str(value).split("\\")] if value else []
    except ValueError:
        return []


def given_window(tags: Mapping[str, Any]) -> Window | None:
    r"""Return the first window that the tags of an instance give.

    Examples
    --------
    >>> given_window({"WindowCenter": "50\\-600", "WindowWidth": "350\\1500"})
    Window(name='As given', center=50.0, width=350.0)
    """
    centers, widths = _numbers(tags, "WindowCenter"), _numbers(tags, "WindowWidth")
    if not centers or not widths or widths[0] < 1:
        return None
    return Window("As given", centers[0], widths[0])


def values_window(values: Values) -> Window:
    """Return the window from the lowest to the highest value."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    return Window("All values", (low + high) / 2, max(high - low, 1.0))


def presets(tags: Mapping[str, Any], values: Values) -> list[Window]:
    """Return the windows to choose from, the best first."""
    given = given_window(tags)
    tissues = _CT if tags.get("Modality") == "CT" else ()
    return [*([given] if given else []), values_window(values), *tissues]


def aspect(tags: Mapping[str, Any]) -> float:
    r"""Return how much higher than broad a pixel is.

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
