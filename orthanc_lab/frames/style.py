"""The common style of all charts: palette, fonts, and axes that a notebook displays without pyplot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib.dates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = [
    "GREY",
    "OKABE_ITO",
    "ChartAxes",
    "Charts",
    "day_numbers",
    "dress",
    "legend",
    "message",
    "new_axes",
    "new_figure",
    "swatches",
    "time_axis",
]

# Okabe and Ito, "Color Universal Design" (2008); yellow last, since it is faint on white.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442")
GREY = "#666666"
DASHES = ("-", "--", ":", "-.")
_DPI = 110
# A tick says the whole time, the end of the axis the date: a tick of "36" might be anything. Of matplotlib's levels:
# year, month, day, hour, minute, second.
_TICKS = ["%Y", "%b", "%d", "%H:%M", "%H:%M", "%H:%M:%S.%f"]
_ZERO_TICKS = ["", "%Y", "%b", "%b %d", "%H:%M", "%H:%M:%S"]
_OFFSETS = ["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d"]
_DATES: Any = matplotlib.dates  # it has no annotations


class ChartAxes(Axes):
    """Axes that a notebook displays as a figure, although pyplot does not know the figure."""

    def _repr_png_(self) -> bytes:
        return _png(self.get_figure(root=True))


class Charts(tuple[Axes, ...]):
    """Several axes of one figure; a notebook displays the figure.

    Examples
    --------
    >>> from orthanc_lab import frames
    >>> from orthanc_lab.frames import charts
    >>> upper, lower = shown = charts.throughput(frames.jobs_frame([]))
    >>> shown
    <2 charts: Jobs that ended, Time in queue and run time>
    """

    @property
    def figure(self) -> Any:
        """The figure, with ``savefig``."""
        return self[0].get_figure(root=True)

    def _repr_png_(self) -> bytes:
        return _png(self.figure)

    def __repr__(self) -> str:
        return f"<{len(self)} charts: {', '.join(axes.get_title(loc='left') or axes.get_title() for axes in self)}>"


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    # Without matplotlib's version number in it, the same chart gives the same bytes.
    figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return out.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Return a figure, sized in inches, that pyplot does not know: nothing to close, and nothing leaks."""
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    figure.set_layout_engine("constrained", h_pad=0.09, w_pad=0.06)  # inches
    return figure


def new_axes(axes: Axes | None, width: float, height: float) -> Axes:
    """Return the caller's axes, or new ones."""
    if axes is not None:
        return axes
    return new_figure(width, height).add_subplot(axes_class=ChartAxes)


def dress(axes: Axes, title: str, unit: str = "") -> None:
    """Set the title, the unit, and the common style."""
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_ylabel(unit, fontsize=10)
    axes.tick_params(labelsize=9)
    axes.grid(visible=True, axis="y", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def time_axis(axes: Axes, *, lowest: bool = True) -> None:
    """Show short times in UTC on the horizontal axis; only the lowest axes of a column show the date."""
    locator = _DATES.AutoDateLocator(tz="UTC", minticks=3, maxticks=6)
    for unit in (_DATES.MINUTELY, _DATES.SECONDLY):  # the step from 1 to 5 is too wide: only one tick might be left
        locator.intervald[unit] = [1, 2, 5, 10, 15, 30]
    axes.xaxis.set_major_locator(locator)
    formatter = _DATES.ConciseDateFormatter(
        locator, tz="UTC", formats=_TICKS, zero_formats=_ZERO_TICKS, offset_formats=_OFFSETS
    )
    axes.xaxis.set_major_formatter(formatter)
    axes.xaxis.get_offset_text().set_fontsize(9)
    axes.xaxis.get_offset_text().set_visible(lowest)
    if lowest:
        axes.set_xlabel("time (UTC)", fontsize=10)


def day_numbers(times: pd.Series[Any] | pd.Index[Any]) -> np.ndarray[Any, Any]:
    """Return times in UTC as matplotlib's day numbers; faster than converting them one by one."""
    return np.asarray(_DATES.date2num(pd.DatetimeIndex(times).tz_localize(None).to_numpy()))


def legend(axes: Axes, entries: int, **options: Any) -> None:
    """Show a legend in the common style, with more columns for more entries."""
    axes.legend(fontsize=8.5, frameon=False, ncols=1 if entries < 4 else 2, **options)


def message(axes: Axes, words: str) -> None:
    """Show why a chart is empty."""
    axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=10)
    axes.set_yticks([])
    axes.set_xticks([])


def swatches(count: int) -> Sequence[tuple[str, str]]:
    """Return colours and dash styles for `count` lines; the dashes change once the colours are used up."""
    usable = len(OKABE_ITO) - 1
    return [(OKABE_ITO[number % usable], DASHES[number // usable % len(DASHES)]) for number in range(count)]
