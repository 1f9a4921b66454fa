"""Metrics recorded by a Prometheus server, in the same form of frame."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import requests

from orthanc_lab.client.arguments import credentials
from orthanc_lab.frames.metric_table import Key, grid_frame, labels_text
from orthanc_lab.protocol.arguments import check_text
from orthanc_lab.protocol.ports import SystemClock

__all__ = ["PrometheusError", "query_range"]

ALL_OF_ORTHANC = '{__name__=~"orthanc_.*"}'


class PrometheusError(Exception):
    """Prometheus did not answer the query; the message includes its reason.

    Examples
    --------
    >>> from orthanc_lab import frames
    >>> try:
    ...     frames.query_range("http://127.0.0.1:1")
    ... except frames.PrometheusError as error:
    ...     print(str(error)[:29])
    No Prometheus answers at http
    """


def query_range(
    url: str,
    query: str = ALL_OF_ORTHANC,
    start: datetime | None = None,
    end: datetime | None = None,
    step: float = 15.0,
    *,
    auth: tuple[str, str] | None = None,
    timeout: float = 30.0,
) -> pd.DataFrame:
    """Query a Prometheus server for a time range; the frame has the columns of `metrics`.

    Every metric has a row at each step from `start` to `end`, NaN where Prometheus has no value. An expression
    without a metric name (``rate(…)``) is named after its text.

    Orthanc sends timestamps with its values, and Prometheus drops a value that has not changed for 5 minutes, unless
    the scrape job sets ``honor_timestamps: false``.

    Parameters
    ----------
    url
        Address of the Prometheus server, ``http://localhost:9090``.
    query
        A PromQL expression; by default all of Orthanc's metrics.
    start, end
        Aware datetimes; by default the last hour.
    step
        Seconds between two values.

    Raises
    ------
    TypeError, ValueError
        If `start` or `end` is no aware datetime, `step` not positive, or `auth` not a user name and a password.
    PrometheusError
        If there is no answer, or an error.

    Examples
    --------
    The last ten minutes, from a Prometheus server at its usual address:

    >>> from datetime import UTC, datetime, timedelta
    >>> from orthanc_lab import frames
    >>> begin = datetime.now(UTC) - timedelta(minutes=10)
    >>> frame = frames.query_range("http://localhost:9090", start=begin, step=5)  # doctest: +SKIP
    """
    check_text(url, "the address of a Prometheus server, such as http://localhost:9090")
    given = credentials(auth)
    for moment in (start, end):
        if not isinstance(moment, datetime | None):
            raise TypeError(f"start and end are datetimes, datetime(2026, 1, 1, tzinfo=UTC), not {moment!r}")
    end = end or SystemClock().now()
    start = start or end - timedelta(hours=1)
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end need a time zone: datetime(2026, 1, 1, tzinfo=UTC)")
    if not step > 0:
        raise ValueError(f"The step must be more than 0 seconds, not {step}")
    fields = {"query": query, "start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}", "step": str(step)}
    document = _ask(f"{url.rstrip('/')}/api/v1/query_range", fields, given, timeout)
    seconds = _moments(start, end, step)
    try:
        return _frame(document["data"]["result"], query, seconds, step)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise PrometheusError(f"{url} sent values that cannot be read: {type(error).__name__}: {error}") from error


def _moments(start: datetime, end: datetime, step: float) -> np.ndarray[Any, Any]:
    """Return the times, in seconds, for which Prometheus has values: it reckons in whole milliseconds."""
    first, last = (round(moment.timestamp() * 1000) for moment in (start, end))
    count = int((last - first) / (step * 1000) + 1e-6) + 1
    return first / 1000 + np.arange(count) * step


def _ask(url: str, fields: dict[str, str], auth: tuple[str, str] | None, timeout: float) -> dict[str, Any]:
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, data=fields, auth=auth, timeout=timeout)
    except requests.RequestException as error:
        raise PrometheusError(f"No Prometheus answers at {url} ({error}).") from error
    try:
        document = answer.json()
    except (ValueError, RecursionError) as error:
        raise _stranger(url, answer.status_code) from error
    if not isinstance(document, dict) or "status" not in document:
        raise _stranger(url, answer.status_code)
    if document["status"] != "success":
        raise PrometheusError(f"Prometheus refused the query {fields['query']!r}: {document.get('error')}")
    return document


def _stranger(url: str, status: int) -> PrometheusError:
    return PrometheusError(f"{url} answered with status {status}, but not like Prometheus. Is the address right?")


def _frame(result: list[dict[str, Any]], query: str, seconds: np.ndarray[Any, Any], step: float) -> pd.DataFrame:
    columns: dict[Key, np.ndarray[Any, Any]] = {}
    for item in result:
        labels = dict(item["metric"])
        key = (labels.pop("__name__", query), labels_text(labels))
        column = columns[key] = np.full(len(seconds), np.nan)
        for moment, value in item["values"]:
            place = round((moment - seconds[0]) / step)
            if place < 0:
                raise ValueError(f"a value at {moment}, which was not asked for")
            column[place] = float(value)
    keys = sorted(columns)
    values = np.column_stack([columns[key] for key in keys]) if keys else np.empty((len(seconds), 0))
    times = pd.DatetimeIndex((seconds * 1e6).round().astype("int64").view("M8[us]")).tz_localize("UTC")
    return grid_frame(times, keys, values, np.full(values.shape, np.nan))
