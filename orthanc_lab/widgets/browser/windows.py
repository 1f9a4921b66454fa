"""The windows that suit an image, and the shape of its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.widgets.elements.slice_image import Values, Window

__all__ = ["aspect", "given_window", "presets", "values_window"]

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
