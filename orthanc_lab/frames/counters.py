"""Turning counters into rates, and long form into wide form and back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from orthanc_lab.frames.arguments import METRICS, check_frame
from orthanc_lab.frames.columns import UTC
from orthanc_lab.frames.metric_table import grid_frame

__all__ = ["long", "rates", "wide"]

_UP_TIME = "orthanc_up_time_s"


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    r"""Return a frame of metrics with one row for each time and one column for each metric.

    A column is named after its metric, followed by the labels if a name occurs with several.

    Raises
    ------
    TypeError, ValueError
        For what is no frame, or not one of metrics.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from orthanc_lab import frames
    >>> frames.wide(frames.read_text("a 1\nb 2\n", datetime(2026, 1, 1, tzinfo=UTC))).to_dict("records")
    [{'a': 1.0, 'b': 2.0}]
    """
    check_frame(frame, ("time", "name", "labels", "value"), METRICS)
    names = frame["name"].astype("str")
    if frame.groupby("name", observed=True)["labels"].nunique().gt(1).any():
        names = names + frame["labels"].astype("str")
    return frame.assign(name=names).pivot(index="time", columns="name", values="value")


def long(table: pd.DataFrame) -> pd.DataFrame:
    r"""Return the long form of a wide frame. The times of updates are missing, because a wide form lacks them.

    The times are the index, or the column ``time``, as in a wide frame that was saved.

    Raises
    ------
    ValueError
        If it has no times, or is no wide frame.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from orthanc_lab import frames
    >>> frame = frames.read_text("a 1\nb 2\n", datetime(2026, 1, 1, tzinfo=UTC))
    >>> frames.long(frames.wide(frame))["value"].tolist()
    [1.0, 2.0]
    """
    check_frame(table, (), "frames.wide")
    if "time" in table:
        table = table.set_index("time")
    if not isinstance(table.index, pd.DatetimeIndex) or "labels" in table:
        raise ValueError("Expected a frame as frames.wide returns it, with the times as index or as column 'time'")
    values = table.to_numpy(dtype=np.float64)
    names = [str(column).partition("{") for column in table.columns]
    keys = [(name, brace + labels) for name, brace, labels in names]
    return grid_frame(pd.DatetimeIndex(table.index, dtype=UTC), keys, values, np.full(values.shape, np.nan))


def rates(frame: pd.DataFrame, counters: Collection[str] = ()) -> pd.DataFrame:
    """Return the counters in a frame of metrics as rates per second.

    Each value is the mean rate since the previous scrape. It is NaN at the first scrape, in a gap and right after it.
    A counter that decreased, or whose server's up time decreased, is taken to have restarted at 0 in between.

    Parameters
    ----------
    frame
        Long form.
    counters
        Names of further metrics to treat as counters, in addition to those of kind ``counter``.

    Raises
    ------
    TypeError, ValueError
        For what is no frame, or not one of metrics.

    Examples
    --------
    >>> import pandas as pd
    >>> from orthanc_lab import frames
    >>> times = pd.date_range("2026-01-01", periods=3, freq="10s", tz="UTC")
    >>> table = pd.DataFrame({"orthanc_storage_read_bytes": [100, 600, 40]}, index=times)
    >>> frames.rates(frames.long(table))["value"].tolist()
    [nan, 50.0, 4.0]
    """
    check_frame(frame, ("time", "name", "labels", "value", "unit", "kind"), METRICS)
    chosen = frame[(frame["kind"] == "counter") | frame["name"].isin(list(counters))]
    ups = _up_times(frame)
    parts = [
        _rate(part, ups.get(labels, pd.Series(dtype="float64")))
        for (_, labels), part in chosen.groupby(["name", "labels"], observed=True, sort=False)
    ]
    if not parts:
        return chosen
    result = pd.concat(parts).sort_index(ignore_index=True)
    units = [f"{unit}/s" if unit else "1/s" for unit in result["unit"]]
    return result.assign(unit=pd.Categorical(units))


def _up_times(frame: pd.DataFrame) -> dict[Any, pd.Series[Any]]:
    rows = frame[frame["name"] == _UP_TIME]
    return {labels: part.set_index("time")["value"] for labels, part in rows.groupby("labels", observed=True)}


def _rate(part: pd.DataFrame, up_time: pd.Series[Any]) -> pd.DataFrame:
    part = part.sort_values("time")
    increase = part["value"].diff()
    seconds = part["time"].diff().dt.total_seconds()
    younger = part["time"].map(up_time).diff() < 0 if len(up_time) else False
    restarted = (increase < 0) | (younger & increase.notna())
    increase = increase.mask(restarted, part["value"])
    return part.assign(value=(increase / seconds).to_numpy(), unit=part["unit"], kind="gauge")
