"""Metrics as a frame: one scrape, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from orthanc_lab.client import Client
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import KINDS, UTC
from orthanc_lab.frames.metric_names import family_of, kind_of, unit_of
from orthanc_lab.protocol.arguments import check_text, items_of
from orthanc_lab.protocol.ports import Clock, SystemClock

__all__ = ["Scrape", "metrics", "metrics_frame", "parse_metrics", "read_text"]

Key: TypeAlias = tuple[str, str]
"""Name of a metric, and its labels in braces ("" for none)."""

Readings: TypeAlias = Mapping[Key, tuple[float, float]]
"""Value, and Unix time in seconds of its last update (NaN if the text does not give one)."""

_NAN = float("nan")
_LONGEST_LINE = 8192  # characters: the parser takes time with the square of the length
_LATEST = 9e12  # seconds: what has a place in a column of times


@dataclass(frozen=True)
class Scrape:
    """The metrics at one time."""

    time: datetime
    readings: Readings  # empty in a gap
    reason: str = ""  # why it is a gap


def metrics(client: Client, *, clock: Clock | None = None) -> pd.DataFrame:
    """Return the current metrics.

    Columns: ``time``, ``name``, ``labels``, ``value``, ``updated``, ``family``, ``unit``, ``kind``; `describe`
    explains them. The frame is empty while the metrics of the server are switched off.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frame = frames.metrics(client)
    >>> frame.loc[frame["family"] == "Resources", ["name", "value"]].to_string(index=False, header=False).split()[:2]
    ['orthanc_count_instances', '20.0']
    """
    check_client(client)
    time = (clock or SystemClock()).now()
    return metrics_frame([Scrape(time, parse_metrics(client.metrics_text()))])


def read_text(text: str, time: datetime) -> pd.DataFrame:
    r"""Return the frame for a text in Prometheus' exposition format, fetched at `time`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> read_text("orthanc_jobs_running 2 1767225600000\n", datetime(2026, 1, 1, tzinfo=UTC))["value"].tolist()
    [2.0]
    """
    check_text(text, "the text of /tools/metrics-prometheus")
    if not isinstance(time, datetime):
        raise TypeError(f"Expected the time of the scrape, datetime(2026, 1, 1, tzinfo=UTC), not {time!r}")
    return metrics_frame([Scrape(time, parse_metrics(text))])


def parse_metrics(text: str) -> Readings:
    """Parse a text in Prometheus' exposition format.

    Raises
    ------
    ValueError
        If the text is malformed or truncated, or a line is longer than any metric needs.
    """
    if text and not text.endswith("\n"):
        raise ValueError(f"The metrics text ends in the middle of a line: {text[-40:]!r}")
    if long := next((line for line in text.split("\n") if len(line) > _LONGEST_LINE), None):
        raise ValueError(f"A line of the metrics text has more than {_LONGEST_LINE} characters: {long[:40]!r}…")
    found: dict[Key, tuple[float, float]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                # The parser returns seconds, although the text has milliseconds.
                moment = float(sample.timestamp) if sample.timestamp is not None else _NAN
                found[sample.name, labels_text(sample.labels)] = (
                    float(sample.value),
                    moment if abs(moment) < _LATEST else _NAN,
                )
    except (IndexError, OverflowError) as error:  # of the parser
        raise ValueError(f"The metrics text cannot be read: {error}") from error
    return found


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels in Prometheus' notation, sorted by name; "" for none."""
    if not labels:
        return ""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def metrics_frame(scrapes: Sequence[Scrape]) -> pd.DataFrame:
    """Return the frame for several scrapes; each has a row for every metric that occurs in any, NaN where missing.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from orthanc_lab.frames.metric_table import Scrape, metrics_frame
    >>> noon, later = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)
    >>> metrics_frame([Scrape(noon, {("a", ""): (1.0, 0.0)}), Scrape(later, {}, "no answer")])["value"].tolist()
    [1.0, nan]
    """
    scrapes = items_of(scrapes, Scrape, "scrapes; frames.metrics(client) makes the frame of one")
    keys = sorted({key for scrape in scrapes for key in scrape.readings})
    place = {key: number for number, key in enumerate(keys)}
    values = np.full((len(scrapes), len(keys)), np.nan)
    moments = np.full((len(scrapes), len(keys)), np.nan)
    for row, scrape in enumerate(scrapes):
        for key, (value, moment) in scrape.readings.items():
            values[row, place[key]] = value
            moments[row, place[key]] = moment
    times = pd.DatetimeIndex([scrape.time for scrape in scrapes], dtype=UTC)
    return grid_frame(times, keys, values, moments)


def grid_frame(
    times: pd.DatetimeIndex, keys: Sequence[Key], values: np.ndarray[Any, Any], moments: np.ndarray[Any, Any]
) -> pd.DataFrame:
    """Return the frame for values of shape (times, keys); `moments` are the times of their updates in Unix seconds."""
    names = [name for name, _ in keys]

    def per_key(words: Sequence[str]) -> Any:
        categories = sorted(set(words))
        codes = {word: code for code, word in enumerate(categories)}
        kind = np.int16 if len(categories) <= np.iinfo(np.int16).max else np.int32
        tiled = np.tile(np.array([codes[word] for word in words], dtype=kind), len(times))
        return pd.Categorical.from_codes(tiled, categories=pd.Index(categories, dtype="str"))

    micros = np.where(np.isnan(moments), np.iinfo(np.int64).min, np.nan_to_num(moments) * 1e6).round().astype(np.int64)
    return pd.DataFrame(
        {
            "time": times.repeat(len(keys)),
            "name": per_key(names),
            "labels": per_key([labels for _, labels in keys]),
            "value": values.ravel(),
            "updated": pd.DatetimeIndex(micros.ravel().view("M8[us]")).tz_localize("UTC"),
            "family": per_key([family_of(name) for name in names]),
            "unit": per_key([unit_of(name) for name in names]),
            "kind": pd.Categorical(
                np.tile(np.array([kind_of(name) for name in names], dtype=object), len(times)), KINDS.categories
            ),
        }
    )
