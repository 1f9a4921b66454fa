"""What happened to the jobs: lanes for the workers, and the list of jobs as it was at any event."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

import ipywidgets

from orthanc_lab.client import Client
from orthanc_lab.client.display import table as html_table
from orthanc_lab.client.job_events import events_page
from orthanc_lab.widgets.elements.lanes import Lanes
from orthanc_lab.widgets.elements.slider import Slider
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.timeline.replay import Replay
from orthanc_lab.widgets.timeline.rows import COLUMNS, bars, row, told

__all__ = ["TimelinePanel"]

_CAPACITY = 100_000  # events
_MOST_ROWS = 200
_MOST_BARS = 500
_PAGES = 2  # of a poll, with 10,000 events each: what is left comes with the next polls
_WINDOWS: Mapping[str, float] = {"1 s": 1, "10 s": 10, "1 min": 60, "10 min": 600, "1 h": 3600}


class TimelinePanel(Panel):
    """A timeline of the jobs: drag the slider to see the list of jobs as it was at any event.

    At the end of the slider it follows what happens. Only the server of this package keeps the log that this needs.

    Attributes
    ----------
    slider
        The event that is shown: its value is the number of events before it, with it.
    table
        The jobs as they were then.
    lanes
        What each worker did around that time.

    Examples
    --------
    >>> panel = TimelinePanel(client)
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> panel.refresh()
    >>> panel.table.rows[0]["state"]
    'Success'
    >>> panel.slider.value -= 1
    >>> panel.table.rows[0]["state"]
    'Running'
    """

    title = "Timeline"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self.replay = Replay(_CAPACITY)
        self._began: datetime | None = None  # the log that the events are of
        self._drawing = threading.RLock()  # both polling and the user may change what is shown
        self.slider = Slider(label="Event", layout={"flex": "1 1 20em", "max_width": "40em"})
        narrow = {"width": "auto", "min_width": "0"}
        self.earlier = ipywidgets.Button(
            icon="step-backward", description="Earlier", tooltip="The event before", layout=narrow
        )
        self.later = ipywidgets.Button(
            icon="step-forward", description="Later", tooltip="The event after", layout=narrow
        )
        self.window = ipywidgets.Dropdown(options=_WINDOWS, value=10, description="Lanes", layout={"width": "12em"})
        self.words = ipywidgets.HTML()
        self.lanes = Lanes(label="What the workers did")
        self.table = Table(COLUMNS, label="Jobs then", empty="No jobs then")
        self.earlier.on_click(lambda _: self._step(-1))
        self.later.on_click(lambda _: self._step(1))
        for control in (self.slider, self.window):
            control.observe(lambda change: self._show(), "value")
        controls = ipywidgets.HBox(
            [self.slider, self.earlier, self.later, self.window], layout={"flex_flow": "row wrap"}
        )
        self.body.children = [controls, self.words, self.lanes, self.table]
        self.refresh()

    def poll(self) -> None:  # noqa: D102 - see Panel
        dropped = 0
        for _ in range(_PAGES):
            page = events_page(self.poll_client.transport, self.replay.last)
            if page.began != self._began or page.first > self.replay.last + 1:
                # Another start of the server, or events that we never saw: what was before says nothing of what is.
                is_new = self._began is not None and page.began != self._began
                self._began, self.replay = page.began, Replay(_CAPACITY)
                if is_new:
                    continue
            dropped += self.replay.extend(page.events)
            if page.done:
                break
        self._follow_end(dropped)

    def _follow_end(self, dropped: int) -> None:
        with self._drawing:
            count, shown = len(self.replay), self.slider.value
            is_at_end = shown == self.slider.max
            self.slider.max = count
            self.slider.value = count if is_at_end else max(0, min(shown - dropped, count))
            self._show()

    def _step(self, by: int) -> None:
        self.slider.value = max(0, min(self.slider.value + by, self.slider.max))

    def _show(self) -> None:
        with self._drawing:
            position = self.slider.value
            jobs, count = self.replay.latest_jobs_at(position, _MOST_ROWS)
            self.table.rows = [row(then) for then in jobs]
            self.table.note = f"{_MOST_ROWS} of {count:,} jobs" if count > _MOST_ROWS else ""
            event = self.replay.event(position)
            self.words.value = escape(told(event)) if event else "Before the first event of the log"
            self._show_lanes(position)

    def _show_lanes(self, position: int) -> None:
        span = self.replay.around(position, self.window.value)
        event = self.replay.event(position)
        if span is None:
            self.lanes.show([], 0, 1)
            return
        shown = self.replay.spans(*span, most=_MOST_BARS)
        cursor = None if event is None else event.at.timestamp()
        self.lanes.show(bars(shown, span[1]), span[0].timestamp(), span[1].timestamp(), cursor=cursor)

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        heads = ("State", "Type", "Progress", "Priority")
        keys = ("state", "type", "progress", "priority")
        return super().snapshot() + html_table(heads, [[job[key] for key in keys] for job in self.table.rows])
