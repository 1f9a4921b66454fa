"""Slices of a volume along any of its axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from orthanc_lab.client.volumes.pictures import shown_range
from orthanc_lab.client.volumes.volume import Volume

__all__ = ["Axis", "volume_slices"]

Axis = Literal["slice", "row", "column"]

_AXES = ("slice", "row", "column")


def volume_slices(
    volume: Volume, count: int, axis: Axis, window: tuple[float, float] | None
) -> Iterator[tuple[str, Callable[[Axes], None]]]:
    """Yield the label of each of some evenly spaced slices, and what draws it.

    Raises
    ------
    ValueError
        If the volume has no such axis.
    """
    if axis not in _AXES:
        raise ValueError(f"A volume has the axes {', '.join(_AXES)}, not {axis!r}")
    number = _AXES.index(axis)
    size = volume.shape[number]
    limits = _limits(volume, window)
    down, across = [other for other in range(3) if other != number]
    height, width = volume.spacing[down], volume.spacing[across]
    aspect = height / width if height and width else 1.0
    is_upside_down = volume.orientation[down : down + 1] == "S"
    for place in np.unique(np.linspace(0, size - 1, min(count, size)).round().astype(int)):

        def draw(axes: Axes, place: int = int(place)) -> None:
            cut = np.take(volume.array, place, number)
            shown = cut[::-1] if is_upside_down else cut
            low, high = limits
            axes.imshow(shown, cmap="gray", vmin=low, vmax=high, interpolation="nearest", aspect=aspect)
            axes.set_axis_off()

        yield f"{axis} {place + 1}/{size}", draw


def _limits(volume: Volume, window: tuple[float, float] | None) -> tuple[float, float]:
    if window is not None:
        return window[0] - window[1] / 2, window[0] + window[1] / 2
    return (0, 255) if volume.is_color else shown_range(volume.array)
