"""Recording a server's metrics over time."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime

import pandas as pd

from orthanc_lab.client import Client, ClientError
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.background_polling import BackgroundPolling
from orthanc_lab.frames.metric_table import Scrape, metrics_frame, parse_metrics
from orthanc_lab.frames.polling import Wait, check_interval, poll_repeatedly
from orthanc_lab.protocol.ports import Clock, SystemClock

__all__ = ["Recorder", "record"]

_PATH = "/tools/metrics-prometheus"
_SWITCHED_OFF = "the metrics of the server are switched off (PUT 1 to /tools/metrics)"
_MISSED = "missed: the machine or the server was not responding"
_SHORTEST_TIMEOUT = 5.0  # seconds


def record(
    client: Client,
    interval: float = 1.0,
    duration: float = 60.0,
    *,
    clock: Clock | None = None,
    wait: Wait = threading.Event.wait,
) -> pd.DataFrame:
    """Record the metrics for some time, and return the frame (see `metrics` for its columns).

    The first scrape is immediate, the last after `duration`. A scrape without an answer leaves a gap: NaN for every
    metric. An interrupt (the stop button of a notebook) ends the recording early and returns what was recorded.

    Parameters
    ----------
    interval, duration
        Seconds.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> with orthanc_lab.in_process() as server:
    ...     frame = frames.record(orthanc_lab.Client.from_server(server), interval=0.05, duration=0.2)
    >>> frame["time"].nunique()
    5
    """
    check_client(client)
    check_interval(interval)
    scrapes: list[Scrape] = []

    def poll(time: datetime, missed: bool) -> None:
        scrapes.append(_scrape(client, time, missed, interval))

    try:
        poll_repeatedly(poll, interval, threading.Event(), clock=clock or SystemClock(), wait=wait, duration=duration)
    except KeyboardInterrupt:
        if not scrapes:
            raise
    return metrics_frame(scrapes)


class Recorder(BackgroundPolling):
    """Records the metrics in the background, keeping the last `capacity` scrapes.

    Parameters
    ----------
    interval
        Seconds between two scrapes.
    capacity
        Number of scrapes to keep; the oldest are dropped. At 1 Hz, 3,600 scrapes are an hour and about 15 MB.
    clock, wait
        The source of the time, and how to wait for the next scrape; tests pass ones that they control.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> with orthanc_lab.serve() as server:
    ...     with frames.Recorder(orthanc_lab.Client.from_server(server), interval=0.02) as recorder:
    ...         recorder.wait_for(3)
    ...     frame = recorder.frame()
    >>> frame["time"].nunique() >= 3
    True
    """

    def __init__(
        self,
        client: Client,
        interval: float = 1.0,
        capacity: int = 3600,
        *,
        clock: Clock | None = None,
        wait: Wait = threading.Event.wait,
    ) -> None:
        check_interval(interval, capacity)
        super().__init__(self._record, interval, clock or SystemClock(), wait)
        check_client(client)
        self._client = client
        self._condition = threading.Condition()
        self._count = 0  # of all scrapes, including dropped ones
        self._scrapes: deque[Scrape] = deque(maxlen=capacity)

    def _record(self, time: datetime, missed: bool) -> None:
        scrape = _scrape(self._client, time, missed, self.interval)
        with self._condition:
            self._scrapes.append(scrape)
            self._count += 1
            self._condition.notify_all()

    def __len__(self) -> int:
        return len(self._scrapes)

    @property
    def scrapes(self) -> list[Scrape]:
        """The scrapes kept, the oldest first."""
        with self._condition:
            return list(self._scrapes)

    @property
    def gap(self) -> str:
        """Why the last scrape failed, "" if it did not."""
        scrapes = self.scrapes
        return scrapes[-1].reason if scrapes else ""

    def wait_for(self, scrapes: int, timeout: float = 60.0) -> None:
        """Wait for this many further scrapes, including those without an answer.

        Parameters
        ----------
        timeout
            Seconds.

        Raises
        ------
        RuntimeError
            If the recorder is not running.
        TimeoutError
            If the scrapes do not arrive in time.
        """
        if not self.is_running:
            raise RuntimeError("The recorder is not running: call start(), or use it in a with statement")
        with self._condition:
            goal = self._count + scrapes
            if not self._condition.wait_for(lambda: self._count >= goal, timeout):
                seen = scrapes - (goal - self._count)
                raise TimeoutError(f"Only {seen} of {scrapes} scrapes arrived in {timeout:g} s")

    def frame(self) -> pd.DataFrame:
        """Return the scrapes kept as a frame (see `metrics` for its columns)."""
        return metrics_frame(self.scrapes)

    def clear(self) -> None:
        """Drop all scrapes."""
        with self._condition:
            self._scrapes.clear()

    def __repr__(self) -> str:
        doing = f"every {self.interval:g} s" if self.is_running else "stopped"
        return f"<Recorder of {self._client.url}: {len(self)} scrapes, {doing}>"


def _scrape(client: Client, time: datetime, missed: bool, interval: float) -> Scrape:
    if missed:
        return Scrape(time, {}, _MISSED)
    try:
        # Sent only once: a retry would belong to the next scrape.
        answer = client.transport.send("GET", _PATH, again=False, timeout=max(interval, _SHORTEST_TIMEOUT))
        readings = parse_metrics(answer.text)
    except (ClientError, ValueError) as error:
        return Scrape(time, {}, str(error))
    return Scrape(time, readings, "" if readings else _SWITCHED_OFF)
