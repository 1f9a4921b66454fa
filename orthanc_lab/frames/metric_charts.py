"""Charts of metrics over time, and of the growth of the storage."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter, MaxNLocator

from orthanc_lab.frames.arguments import METRICS, check_frame
from orthanc_lab.frames.counters import rates, wide
from orthanc_lab.frames.metric_names import FAMILIES, short_name
from orthanc_lab.frames.style import (
    OKABE_ITO,
    ChartAxes,
    Charts,
    day_numbers,
    dress,
    legend,
    message,
    new_figure,
    swatches,
    time_axis,
)

__all__ = ["metrics_over_time", "storage_growth"]

_PANEL = (4.6, 2.5)  # inches
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def metrics_over_time(frame: pd.DataFrame, families: Collection[str] | None = None, columns: int = 2) -> Charts:
    """Chart metrics over time: a panel for each family, counters as rates, gaps as gaps.

    Parameters
    ----------
    frame
        A frame from `frames.record`, `frames.Recorder.frame` or `frames.query_range`.
    families
        Only these families (column ``family``); by default all that have a value.
    columns
        Number of panels side by side.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> from orthanc_lab.frames import charts
    >>> with orthanc_lab.in_process() as server:
    ...     recorded = frames.record(orthanc_lab.Client.from_server(server), interval=0.05, duration=0.2)
    >>> charts.metrics_over_time(recorded, families=["Resources", "Jobs"])
    <2 charts: Resources, Jobs>
    """
    check_frame(frame, ("family",), METRICS)
    changing = rates(frame)
    shown = pd.concat([frame[frame["kind"] != "counter"], changing])
    shown = shown[shown["value"].notna() | shown["time"].isin(_gaps(shown))]
    known = {family: number for number, family in enumerate(FAMILIES)}
    found = sorted(
        set(shown.loc[shown["value"].notna(), "family"]), key=lambda name: (known.get(name, len(known)), name)
    )
    chosen = [family for family in found if families is None or family in families]
    if not chosen:
        figure = new_figure(*_PANEL)
        axes = figure.add_subplot(axes_class=ChartAxes)
        dress(axes, "Metrics")
        message(axes, "no values in this frame")
        return Charts([axes])
    rows = -(-len(chosen) // columns)
    figure = new_figure(_PANEL[0] * min(columns, len(chosen)), _PANEL[1] * rows)
    panels: list[Axes] = []
    for number, family in enumerate(chosen):
        axes = figure.add_subplot(
            rows, min(columns, len(chosen)), number + 1, axes_class=ChartAxes, sharex=panels[0] if panels else None
        )
        _panel(axes, family, shown[shown["family"] == family])
        time_axis(axes, lowest=number + columns >= len(chosen))
        panels.append(axes)
    return Charts(panels)


def _gaps(frame: pd.DataFrame) -> Any:
    present = frame.groupby("time")["value"].count()
    return present[present == 0].index


def _panel(axes: Axes, family: str, rows: pd.DataFrame) -> None:
    table = wide(rows)
    units = sorted(set(rows["unit"].astype("str")))
    moments = day_numbers(table.index)
    marker = "." if len(table) <= 60 else ""
    for number, ((name, values), (colour, dash)) in enumerate(
        zip(table.items(), swatches(table.shape[1]), strict=True)
    ):
        label, brace, labels = str(name).partition("{")
        axes.plot(
            moments,
            values,
            color=colour,
            linestyle=dash,
            linewidth=max(2.6 - 0.5 * number, 1.2) if table.shape[1] > 1 else 1.8,  # coinciding lines stay visible
            marker=marker,
            markersize=4,
            label=short_name(label) + (f" {brace}{labels}" if brace else ""),
        )
    unit = units[0] if len(units) == 1 else ""
    dress(axes, family, "bytes per second" if unit == "bytes/s" else unit.replace("1/s", "per second") or "number")
    if "bytes" in unit:
        axes.yaxis.set_major_formatter(EngFormatter(unit="B/s" if "/s" in unit else "B"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=not unit))
    low, high = table.min().min(), table.max().max()
    # The axis zooms in on small changes of a large number, but starts at 0 for rates and constant numbers.
    from_zero = "/s" in unit or low <= high * 0.9 or low == high
    bottom = 0.0 if low >= 0 and from_zero else low
    only = table.shape[1] == 1 and short_name(str(table.columns[0])) == family.lower()
    lines = 0 if only else -(-table.shape[1] // (1 if table.shape[1] < 4 else 2))
    span = (high - bottom) or abs(high) or 1.0
    axes.set_ylim(bottom - (0.05 * span if bottom else 0), high + span * (0.08 + 0.14 * lines))  # room for the legend
    if not only:
        legend(axes, table.shape[1], loc="upper left", bbox_to_anchor=(0, 1.02), borderaxespad=0.2)


def storage_growth(frame: pd.DataFrame) -> Charts:
    """Chart the growth of the storage: its size and the number of instances.

    Parameters
    ----------
    frame
        Metrics over time (the sizes reported by the server), or a frame from `frames.instances` (the sizes of
        the instances stored now, by time of arrival).

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> from orthanc_lab.frames import charts
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     charts.storage_growth(frames.instances(client))
    <2 charts: Stored data, Instances>
    """
    size, count = _arrivals(frame) if "received" in getattr(frame, "columns", ()) else _measured(frame)
    figure = new_figure(8, 4.2)
    upper = figure.add_subplot(2, 1, 1, axes_class=ChartAxes)
    lower = figure.add_subplot(2, 1, 2, axes_class=ChartAxes, sharex=upper)
    unit = next((unit for unit, scale in reversed(_BYTES.items()) if size.max() >= scale), "KiB")
    for axes, title, values, axis_unit, colour in (
        (upper, "Stored data", size / _BYTES[unit], unit, OKABE_ITO[0]),
        (lower, "Instances", count, "number", OKABE_ITO[2]),
    ):
        dress(axes, title, axis_unit)
        if not values.notna().any():
            message(axes, "no values in this frame")
            continue
        moments = day_numbers(values.index)
        axes.plot(moments, values, drawstyle="steps-post", color=colour, linewidth=1.8)
        axes.fill_between(moments, values, step="post", color=colour, alpha=0.15, linewidth=0)
        axes.set_ylim(0, values.max() * 1.15 or 1)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=axis_unit == "number"))
        last = values.dropna().iloc[-1]
        text = f"{last:,.0f}" if axis_unit == "number" else f"{last:,.1f} {unit}"
        axes.annotate(
            text, (moments[values.notna()][-1], last), (-4, 4), textcoords="offset points", ha="right", fontsize=9
        )
        time_axis(axes, lowest=axes is lower)
    return Charts([upper, lower])


def _measured(frame: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    check_frame(frame, ("time", "name", "value"), f"{METRICS} or frames.instances")

    def values(name: str) -> pd.Series[Any]:
        return frame[frame["name"] == name].groupby("time")["value"].sum(min_count=1)

    return values("orthanc_disk_size_mb") * _BYTES["MiB"], values("orthanc_count_instances")


def _arrivals(frame: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    known = frame.dropna(subset=["received"]).groupby("received")["size_bytes"]
    return known.sum().cumsum().astype("float64"), known.size().cumsum().astype("float64")
