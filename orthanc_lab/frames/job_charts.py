"""Charts of jobs: which worker ran which job when, how many ended, how long they waited and ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from orthanc_lab.frames.job_spans import job_spans
from orthanc_lab.frames.style import (
    GREY,
    OKABE_ITO,
    ChartAxes,
    Charts,
    day_numbers,
    dress,
    legend,
    message,
    new_axes,
    new_figure,
    time_axis,
)

__all__ = ["jobs_timeline", "throughput"]

_BAR = 0.72
_MOST_PARTED = 100  # bars in a row
_SECOND = 1 / 86400  # of matplotlib's day
_WIDTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400, 604800)  # s
_LEAST = 1e-3  # seconds: the precision of Orthanc's run times


def jobs_timeline(
    frame: pd.DataFrame, workers: int = 2, axes: Axes | None = None, *, names: Mapping[str, str] | None = None
) -> Axes:
    """Chart which job each worker ran when, with the paused jobs and the number of waiting jobs below.

    With `names`, each of these jobs has a row of its own instead, which shows when it waited, ran and was paused.

    Parameters
    ----------
    frame
        Observed spans (`frames.JobWatch.spans`), or the frame of `frames.jobs`, from which spans are inferred
        (`frames.job_spans`).
    workers
        ``ConcurrentJobs`` of the server, needed for the inference.
    axes
        The axes to draw on; by default a new figure.
    names
        The jobs to show by identifier, from top to bottom, each with its name on the axis.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> from orthanc_lab.frames import charts
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     _ = list(client.studies)[0].archive_job().wait()
    ...     charts.jobs_timeline(frames.jobs(client)).get_title(loc="left")
    'Jobs by worker (inferred)'
    """
    spans = frame if "start" in getattr(frame, "columns", ()) else job_spans(frame, workers)
    if names is not None:
        return _by_name(spans, names, axes)
    running = spans[spans["state"] == "Running"]
    paused = spans[spans["state"] == "Paused"].sort_values("start")
    waiting = spans[spans["state"].isin(["Pending", "Retry"])]
    lanes = int(running["worker"].max()) if len(running) else 0
    rows = lanes + (len(paused) > 0) + (len(waiting) > 0)
    axes = new_axes(axes, 9, 1.5 + 0.5 * max(rows, 1))
    dress(axes, "Jobs by worker" + ("" if spans["observed"].any() or not len(spans) else " (inferred)"))
    if not len(spans):
        message(axes, "no jobs in this frame")
        return axes
    colours = dict(zip(sorted(set(spans["type"])), OKABE_ITO, strict=False))
    ticks = {lane - 1: f"worker {lane}" for lane in range(1, lanes + 1)}
    for lane, part in running.groupby("worker"):
        _bars(axes, part, int(str(lane)) - 1, _BAR, colours)
    if len(paused):
        ticks[len(ticks)] = "paused"
        _paused(axes, paused, len(ticks) - 1, colours)
    if len(waiting):
        most = _waiting(axes, waiting, len(ticks))
        ticks[len(ticks)] = f"waiting (≤ {most})"
    _rows(axes, ticks, [Patch(facecolor=colour, label=name) for name, colour in colours.items()])
    return axes


def _rows(axes: Axes, ticks: Mapping[int, str], handles: list[Patch]) -> None:
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.set_ylim(len(ticks) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.7)
    time_axis(axes)
    axes.legend(handles=handles, fontsize=9, frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))


_STATES: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "Pending": ("waited", GREY, {"alpha": 0.45}),
    "Retry": ("waited", GREY, {"alpha": 0.45}),
    "Running": ("ran", OKABE_ITO[0], {}),
    "Paused": ("was paused", OKABE_ITO[4], {"hatch": "////", "alpha": 0.55, "linewidth": 0}),
}
"""Of each state: its name in a chart by name, and how its bars look."""


def _by_name(spans: pd.DataFrame, names: Mapping[str, str], axes: Axes | None) -> Axes:
    shown = spans[spans["id"].isin(list(names)) & spans["state"].isin(list(_STATES))]
    axes = new_axes(axes, 9, 1.5 + 0.5 * max(len(names), 1))
    dress(axes, "Jobs" + ("" if spans["observed"].any() or not len(spans) else " (inferred)"))
    if not len(shown):
        message(axes, "no jobs in this frame")
        return axes
    handles: dict[str, Patch] = {}
    for state, (word, colour, style) in _STATES.items():
        for row, id in enumerate(names):
            part = shown[(shown["id"] == id) & (shown["state"] == state)]
            if len(part):
                _bars(axes, part, row, _BAR, dict.fromkeys(part["type"], colour), **style)
                handles[word] = Patch(facecolor=colour, label=word, **style)
    _rows(axes, dict(enumerate(names.values())), list(handles.values()))
    return axes


def _extent(part: pd.DataFrame) -> list[tuple[float, float]]:
    starts = day_numbers(part["start"])
    ends = day_numbers(part["end"])
    return list(zip(starts.tolist(), np.maximum(ends - starts, 1e-3 * _SECOND).tolist(), strict=True))


def _bars(axes: Axes, part: pd.DataFrame, row: float, height: float, colours: Mapping[str, str], **style: Any) -> None:
    faces = [colours.get(kind, GREY) for kind in part["type"]]
    # Edges part bars that touch; of more than a few, they would hide those that are no wider than they are.
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.8 if len(part) <= _MOST_PARTED else 0} | style
    axes.broken_barh(_extent(part), (row - height / 2, height), facecolors=faces, **edge)


def _paused(axes: Axes, part: pd.DataFrame, row: int, colours: Mapping[str, str]) -> None:
    # Overlapping pauses share the height of the row.
    ends: list[pd.Timestamp] = []
    places: list[int] = []
    for start, end in zip(part["start"], part["end"], strict=True):
        place = next((number for number, last in enumerate(ends) if last <= start), len(ends))
        ends[place : place + 1] = [end]
        places.append(place)
    height = _BAR / len(ends)
    for place in range(len(ends)):
        chosen = part[np.array(places) == place]
        middle = row - _BAR / 2 + (place + 0.5) * height
        _bars(axes, chosen, middle, height * 0.9, colours, hatch="////", alpha=0.55, edgecolor="white", linewidth=0)


def _waiting(axes: Axes, part: pd.DataFrame, row: int) -> int:
    steps = pd.concat([pd.Series(1, index=part["start"]), pd.Series(-1, index=part["end"])])
    count = steps.groupby(level=0).sum().sort_index().cumsum()
    most = max(int(count.max()), 1)
    bottom = row + _BAR / 2
    axes.fill_between(
        day_numbers(count.index), bottom, bottom - count / most * _BAR, step="post", color=GREY, alpha=0.45, linewidth=0
    )
    return most


def throughput(frame: pd.DataFrame, workers: int = 2, bins: int = 30) -> Charts:
    """Chart how many jobs ended, and how long each waited and ran.

    Parameters
    ----------
    frame
        A frame from `frames.jobs`.
    workers
        ``ConcurrentJobs`` of the server: Orthanc counts the wait for a worker as run time, and `frames.job_spans`
        separates the two.
    bins
        Approximate maximum number of bars in the upper panel.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> from orthanc_lab.frames import charts
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     _ = list(client.studies)[0].archive_job().wait()
    ...     charts.throughput(frames.jobs(client))
    <2 charts: Jobs that ended, Time in queue and run time>
    """
    spans = job_spans(frame, workers)
    figure = new_figure(8.5, 5)
    upper = figure.add_subplot(2, 1, 1, axes_class=ChartAxes)
    lower = figure.add_subplot(2, 1, 2, axes_class=ChartAxes, sharex=upper)
    ended = frame.dropna(subset=["completed"])
    dress(upper, "Jobs that ended", "number")
    dress(lower, "Time in queue and run time", "time, at least 1 ms")
    if not len(ended):
        message(upper, "no job has ended")
        message(lower, "no job has ended")
        return Charts([upper, lower])
    _ended(upper, ended, bins)
    _latency(lower, ended, spans)
    time_axis(upper, lowest=False)
    time_axis(lower)
    return Charts([upper, lower])


def _ended(axes: Axes, ended: pd.DataFrame, bins: int) -> None:
    moments = day_numbers(ended["completed"])
    first, last = moments.min(), max(moments.max(), moments.min() + _SECOND)
    width = next((nice for nice in _WIDTHS if nice * _SECOND * bins >= last - first), _WIDTHS[-1])
    edges = np.arange(np.floor(first / _SECOND / width), np.ceil(last / _SECOND / width) + 1) * width * _SECOND
    failed = (ended["state"] == "Failure").to_numpy()
    names = [f"success ({(~failed).sum():,})", f"failure ({failed.sum():,})"]
    axes.hist(
        [moments[~failed], moments[failed]],
        bins=edges.tolist(),
        stacked=True,
        color=[OKABE_ITO[0], OKABE_ITO[3]],
        label=names,
        edgecolor="white",
        linewidth=0.5,
    )
    axes.set_ylabel(f"jobs per {_words(width)}", fontsize=10)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
    legend(axes, 2, loc="upper left")


def _latency(axes: Axes, ended: pd.DataFrame, spans: pd.DataFrame) -> None:
    seconds = (spans["end"] - spans["start"]).dt.total_seconds()
    table = seconds.groupby([spans["id"], spans["state"].astype("str")]).sum().unstack(fill_value=0)
    table = table.reindex(ended["id"]).reindex(columns=["Pending", "Running", "Paused"], fill_value=0.0)
    shown = (
        ("Pending", "queued", OKABE_ITO[1], "o"),
        ("Running", "ran", OKABE_ITO[0], "s"),
        ("Paused", "paused", OKABE_ITO[4], "^"),
    )
    for state, name, colour, marker in shown:
        values = table[state].to_numpy(dtype=np.float64)
        if state == "Paused" and not values.any():
            continue
        if state == "Paused":
            values = np.where(values > 0, values, np.nan)  # most jobs were never paused
        median, most = np.nanmedian(values), np.nanpercentile(values, 95)
        label = f"{name}: median {_words(median)}, 95 % below {_words(most)}"
        values = np.maximum(values, _LEAST)
        axes.plot(
            day_numbers(ended["completed"]),
            values,
            marker,
            markersize=4,
            color=colour,
            alpha=0.7,
            markeredgewidth=0,
            label=label,
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: _words(seconds)))
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.4)  # room for the legend
    legend(axes, 3, loc="upper left")


def _words(seconds: float) -> str:
    if seconds < _LEAST:
        return "< 1 ms" if seconds else "0 s"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
