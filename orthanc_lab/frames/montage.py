"""The slices of a study, series or volume side by side."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from orthanc_lab.client import Instance, Patient, ResponseError, Series, Study
from orthanc_lab.client.thumbnails import NO_PICTURE
from orthanc_lab.client.volumes.volume import Volume
from orthanc_lab.frames.style import GREY, ChartAxes, Charts, message, new_figure
from orthanc_lab.frames.volume_slices import Axis, volume_slices

__all__ = ["montage"]

_GRAY = 2  # dimensions of a picture without colors
_PANEL = 1.9  # inches


def montage(
    resource: Study | Series | Volume,
    count: int = 12,
    columns: int = 4,
    window: tuple[float, float] | None = None,
    *,
    axis: Axis = "slice",
) -> Charts:
    """Show windowed slices of a study, series or volume, evenly spaced from first to last.

    Parameters
    ----------
    resource
        A study or series; each series of a study gets its share of the slices, at least one. Or a volume, whose slices
        are in the order of their positions.
    count
        Maximum number of slices.
    columns
        Number of slices side by side.
    window
        Center and width (for CT in Hounsfield units); by default the window stored in the file (DICOM PS3.3
        section C.11.2), and for a volume all but the darkest and the brightest hundredth of its values.
    axis
        Of a volume, the axis across which it is cut: ``"row"`` and ``"column"`` show it from the other sides.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import samples
    >>> from orthanc_lab.frames import charts
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     charts.montage(list(client.studies)[0], count=3, window=(40, 400))
    ...     charts.montage(list(client.series)[0].volume(), count=2, axis="column")
    <3 charts: CT 2 · 1/20, CT 2 · 11/20, CT 2 · 20/20>
    <2 charts: column 1/128, column 128/128>
    """
    if count < 1 or columns < 1:
        raise ValueError("count and columns must be at least 1")
    if window is not None and not window[1] > 0:
        raise ValueError(f"The width of a window must be more than 0, not {window[1]}")
    chosen: list[tuple[str, Callable[[Axes], None]]]
    if isinstance(resource, Volume):
        chosen = list(volume_slices(resource, count, axis, window))
    elif isinstance(resource, (Patient, Study, Series)):
        chosen = [(label, partial(_show, instance, window)) for label, instance in _chosen(resource, count)]
    else:
        raise TypeError(f"Expected a study, a series or a volume, not {type(resource).__name__}")
    wide = min(columns, max(len(chosen), 1))
    rows = max(-(-len(chosen) // wide), 1)
    figure = new_figure(max(_PANEL * wide, 4), (_PANEL + 0.15) * rows + 0.45)
    panels = []
    if not chosen:
        axes = figure.add_subplot(axes_class=ChartAxes)
        message(axes, "no instances")
        panels.append(axes)
    for number, (label, draw) in enumerate(chosen):
        axes = figure.add_subplot(rows, wide, number + 1, axes_class=ChartAxes)
        axes.set_title(label, fontsize=8.5, color=GREY, pad=3)
        draw(axes)
        panels.append(axes)
    title = _name(resource)
    if any(
        np.asarray(image.get_array()).ndim == _GRAY for axes in panels for image in axes.images
    ):  # colors have no window
        title = f"{title} ({_window_words(resource, window)})"
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    return Charts(panels)


def _chosen(resource: Study | Series, count: int) -> list[tuple[str, Instance]]:
    groups = resource.series[:count] if isinstance(resource, Study) else [resource]
    total = [series.instances for series in groups]
    shares = _shares([len(instances) for instances in total], count)
    chosen = []
    for series, instances, share in zip(groups, total, shares, strict=True):
        for place in np.unique(np.linspace(0, len(instances) - 1, share).round().astype(int)) if share else ():
            label = f"{series.tags.get('Modality', '')} {series.tags.get('SeriesNumber', '')}".strip()
            chosen.append((f"{label} · {place + 1}/{len(instances)}", instances[place]))
    return chosen


def _shares(sizes: list[int], count: int) -> list[int]:
    # One each; the rest go one by one to the series with the most slices per place.
    shares = [min(size, 1) for size in sizes]
    while sum(shares) < min(count, sum(sizes)):
        ratios = [size / share if 0 < share < size else 0.0 for size, share in zip(sizes, shares, strict=True)]
        shares[int(np.argmax(ratios))] += 1
    return shares


def _name(resource: Study | Series | Volume) -> str:
    if isinstance(resource, Volume):
        return resource.name or "Volume"
    tags = resource.tags
    return tags.get("StudyDescription") or tags.get("SeriesDescription") or type(resource).__name__


def _window_words(resource: Study | Series | Volume, window: tuple[float, float] | None) -> str:
    if window is not None:
        return f"window center {window[0]:g}, width {window[1]:g}"
    return "window from 1 to 99 % of the values" if isinstance(resource, Volume) else "window as stored"


def _show(instance: Instance, window: tuple[float, float] | None, axes: Axes) -> None:
    parameters: dict[str, Any] = {"window_center": window[0], "window_width": window[1]} if window else {}
    try:
        picture = np.asarray(Image.open(io.BytesIO(instance.rendered(**parameters)), formats=("PNG",)))
    except (ResponseError, *NO_PICTURE):
        message(axes, "no image")  # a document or report, which the server cannot render
        return
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
