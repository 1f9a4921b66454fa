"""A live view of a server's metrics."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from orthanc_lab.client import Client, ClientError, NotOrthancError
from orthanc_lab.client.display import table as html_table
from orthanc_lab.frames import metrics_frame, save
from orthanc_lab.frames.metric_table import Scrape, parse_metrics
from orthanc_lab.widgets.elements.line_charts import LineCharts
from orthanc_lab.widgets.metrics.metric_lines import charts_of, families_of, keys_of, samples_of
from orthanc_lab.widgets.panel import Panel

__all__ = ["MetricsPanel"]

_CAPACITY = 7200  # scrapes: an hour at 2 Hz, about 30 MB
_WINDOWS: Mapping[str, float] = {"30 s": 30, "1 min": 60, "5 min": 300, "15 min": 900, "1 h": 3600}
_INTERVALS: Mapping[str, float] = {"0.25 s": 0.25, "0.5 s": 0.5, "1 s": 1, "2 s": 2, "5 s": 5, "10 s": 10}
_FIRST = ("Resources", "Jobs", "Durations", "Disk traffic", "Requests and threads")
_SWITCHED_OFF = (
    "The metrics of this server are switched off. Switch them on here, or with MetricsEnabled in its configuration."
)


class MetricsPanel(Panel):
    """Live charts of the metrics, one for each family that is checked; counters are shown as rates.

    What was recorded while the panel was visible is available as a frame (`frame`), and can be saved to a file. A
    scrape without an answer leaves a gap.

    Parameters
    ----------
    client
        A client for the server.
    interval
        Seconds between two scrapes.
    window
        Number of seconds that the charts show.

    Examples
    --------
    >>> panel = MetricsPanel(client)
    >>> panel.refresh()
    >>> panel.frame()["time"].nunique()
    2
    >>> panel.families
    ['Resources', 'Disk traffic', 'Jobs', 'Durations', 'Requests and threads']
    """

    title = "Metrics"

    def __init__(self, client: Client, *, interval: float = 1.0, window: float = 300, **options: Any) -> None:
        super().__init__(client, interval=interval, **options)
        self._scrapes: deque[Scrape] = deque(maxlen=_CAPACITY)
        self._lock = threading.RLock()
        self._has_resumed = False
        self._keys: set[tuple[str, str]] = set()
        self.charts = LineCharts(label="Metrics", window=window, capacity=_CAPACITY)
        self.pause = ipywidgets.ToggleButton(
            description="Pause", icon="pause", tooltip="Freeze the charts; recording continues"
        )
        self.window = _menu("Window", _WINDOWS, window)
        self.rate = _menu("Every", _INTERVALS, interval)
        self.switch_on = ipywidgets.Button(description="Switch metrics on", button_style="warning")
        self.switch_on.layout.display = "none"
        self.file = ipywidgets.Text(
            value=f"metrics-{self.clock.now():%Y%m%d-%H%M%S}.parquet",
            description="File",
            tooltip="A name ending in .parquet or .csv",
            layout={"width": "26em"},
        )
        self.save_button = ipywidgets.Button(description="Save", icon="save", tooltip="Save the recording")
        self.boxes: dict[str, ipywidgets.Checkbox] = {}
        self.choice = ipywidgets.Box(layout={"flex_flow": "row wrap"})
        self._connect()
        controls = ipywidgets.Box(
            [self.pause, self.window, self.rate, self.switch_on], layout={"flex_flow": "row wrap"}
        )
        words = ipywidgets.HTML("saves a file next to the notebook; in a cell, use <code>panel.frame()</code>")
        export = ipywidgets.Box([self.file, self.save_button, words], layout={"flex_flow": "row wrap"})
        self.body.children = [controls, self.choice, self.charts, export]
        self.refresh()

    def _connect(self) -> None:
        self.pause.observe(lambda change: self._show(), "value")
        self.window.observe(lambda change: setattr(self.charts, "window", change["new"]), "value")
        self.rate.observe(lambda change: self._poll_every(change["new"]), "value")
        self.switch_on.on_click(lambda _: self.act("Switching the metrics on", self._switch_on))
        self.save_button.on_click(lambda _: self.save(self.file.value))

    def poll(self) -> None:  # noqa: D102 - see Panel
        time = self.clock.now()
        self._note_absence(time)
        if self._scrapes and self._scrapes[-1].time == time:
            return  # a frame has only one scrape for each time
        try:
            scrape = Scrape(time, parse_metrics(self.poll_client.metrics_text()))
        except ClientError as error:
            self._note(Scrape(time, {}, str(error)))
            raise
        except ValueError as error:
            self._note(Scrape(time, {}, str(error)))
            raise NotOrthancError(f"The metrics text of {self.client.url}", str(error)) from error
        is_off = not scrape.readings
        self.switch_on.layout.display = "" if is_off else "none"
        self._note(Scrape(time, {}, _SWITCHED_OFF) if is_off else scrape)
        if is_off:
            raise ClientError(_SWITCHED_OFF)

    def start(self) -> None:  # noqa: D102 - see Panel
        self._has_resumed = self._has_resumed or not self.is_live
        super().start()

    def _note_absence(self, time: datetime) -> None:
        """Record a gap for the time in which the panel was hidden, so that no line bridges it."""
        resumed, self._has_resumed = self._has_resumed, False
        last = self._scrapes[-1].time if self._scrapes else time
        if resumed and (time - last).total_seconds() > 2 * self.interval:
            self._note(Scrape(last + timedelta(seconds=self.interval), {}, "the panel was hidden"))

    def _poll_at(self, time: datetime, missed: bool) -> None:
        if missed:
            self._note(Scrape(time, {}, "missed: the machine or the server was not responding"))
        super()._poll_at(time, missed)

    def _note(self, scrape: Scrape) -> None:
        with self._lock:
            self._scrapes.append(scrape)
            last = list(self._scrapes)[-2:]
        if set(scrape.readings) - self._keys:
            self._show()
        elif not self.pause.value:
            self.charts.add(*samples_of(last)[-1])

    def _follow(self) -> None:  # it also records in a hidden tab, so that the lines have no gaps
        if self.status.is_seen:
            self.start()
        else:
            self.stop()

    @property
    def families(self) -> list[str]:
        """The families shown that the server has."""
        return [family for family, box in self.boxes.items() if box.value]

    def _show(self) -> None:
        """Redraw everything: after a change of the selection, a new metric, or a pause."""
        with self._lock:
            keys = self._keys = self._keys | keys_of(self._scrapes)
            self.boxes = {family: self.boxes.get(family) or self._box(family) for family in families_of(keys)}
            self.choice.children = list(self.boxes.values())
            self.charts.show(charts_of(keys, self.families), samples_of(self.scrapes))

    def _box(self, family: str) -> ipywidgets.Checkbox:
        box = ipywidgets.Checkbox(
            family in _FIRST, description=family, indent=False, layout={"width": "auto", "margin": "0 12px 0 0"}
        )
        box.observe(lambda change: self._show(), "value")
        return box

    @property
    def scrapes(self) -> list[Scrape]:
        """The recorded scrapes, the oldest first."""
        with self._lock:
            return list(self._scrapes)

    def frame(self) -> pd.DataFrame:
        """Return the recording as a frame; `orthanc_lab.frames.metrics` describes its columns.

        Examples
        --------
        >>> from orthanc_lab.frames import charts
        >>> panel = MetricsPanel(client)
        >>> charts.metrics_over_time(panel.frame(), families=["Resources"])
        <1 charts: Resources>
        """
        return metrics_frame(self.scrapes)

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        keys = [(chart, key, words) for chart in self.charts.charts for key, words in chart.lines.items()]
        values = self.charts.samples[-1][1] if self.charts.samples else ()
        rows = [
            (chart.title, words, f"{value:g} {chart.unit}" if isfinite(value) else "")
            for (chart, _, words), value in zip(keys, values, strict=False)
        ]
        return super().snapshot() + html_table(("Family", "Metric", "Now"), rows)

    def save(self, path: str | Path) -> None:
        """Save the frame in the background, as ``.parquet`` or ``.csv``."""
        self.act(f"Saving {path}", lambda: self._save(Path(path)))

    def _save(self, path: Path) -> str:
        frame = self.frame()
        save(frame, path)
        times = frame["time"].nunique()
        code = f"orthanc_lab.frames.load({str(path)!r})"
        return f"Saved {times} samples to {path.resolve()}\nIn Python: {code}, or panel.frame()"

    def _switch_on(self) -> str:
        self.code.client.transport.send("PUT", "/tools/metrics", data="1")
        return "The metrics are switched on."

    def _poll_every(self, interval: float) -> None:
        was_live = self.is_live
        self.stop()
        self.interval = interval
        if was_live:
            self.start()


def _menu(words: str, choices: Mapping[str, float], value: float) -> ipywidgets.Dropdown:
    options = {**choices, f"{value:g} s": value} if value not in choices.values() else choices
    layout = {"width": "170px"}
    return ipywidgets.Dropdown(options=list(options.items()), value=value, description=words, layout=layout)
