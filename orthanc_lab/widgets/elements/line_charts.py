"""Line charts over time, drawn in the browser; a new sample takes one small message."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["Chart", "LineCharts"]


@dataclass(frozen=True, slots=True)
class Chart:
    """One of the charts."""

    title: str
    unit: str  # of all its lines, "" for plain numbers
    lines: Mapping[str, str]  # the legend of each line, by key


class LineCharts(Element, script="line_charts", parts=["chart_parts/numbers"]):
    """Small multiples of line charts over the last seconds.

    Parameters
    ----------
    label
        The name of the group for screen readers; each chart announces its last values.
    capacity
        Number of samples to keep; the oldest are dropped.

    Attributes
    ----------
    window
        Number of seconds shown, up to the last sample.

    Examples
    --------
    >>> charts = LineCharts(label="Load")
    >>> charts.show([Chart("Jobs", "", {"running": "running"})], [(0.0, {"running": 1.0})])
    >>> charts.add(1.0, {"running": 2.0})
    >>> charts.add(2.0, {})
    >>> charts.samples
    [(0.0, (1.0,)), (1.0, (2.0,)), (2.0, (nan,))]
    """

    label = traitlets.Unicode().tag(sync=True)
    window = traitlets.Float(60.0).tag(sync=True)
    capacity = traitlets.Int(3600).tag(sync=True)
    empty = traitlets.Unicode("Nothing recorded yet").tag(sync=True)

    def __init__(self, *, label: str, **traits: Any) -> None:
        self._charts: tuple[Chart, ...] = ()
        self._keys: tuple[str, ...] = ()
        self._lock = threading.RLock()  # a panel's thread adds samples, the main thread answers new views
        super().__init__(label=label, **traits)
        self._samples: deque[tuple[float, tuple[float, ...]]] = deque(maxlen=self.capacity)
        self.on_msg(lambda *_: self._send_all())  # a new view asks for everything

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The charts shown."""
        return self._charts

    @property
    def samples(self) -> list[tuple[float, tuple[float, ...]]]:
        """Unix time and values of each sample, in the order of the lines; NaN marks a gap."""
        return list(self._samples)

    def show(self, charts: Iterable[Chart], samples: Iterable[tuple[float, Mapping[str, float]]]) -> None:
        """Replace the charts and all samples: Unix time, and the value of each key that has one."""
        with self._lock:
            self._charts = tuple(charts)
            self._keys = tuple(key for chart in self._charts for key in chart.lines)
            self._samples = deque(((time, self._row(values)) for time, values in samples), maxlen=self.capacity)
            self._send_all()

    def add(self, time: float, values: Mapping[str, float]) -> None:
        """Append one sample; a line whose key is missing gets a gap."""
        with self._lock:
            row = self._row(values)
            self._samples.append((time, row))
            self.send({"kind": "one", "time": time, "values": [value if isfinite(value) else None for value in row]})

    def _row(self, values: Mapping[str, float]) -> tuple[float, ...]:
        return tuple(values.get(key, nan) for key in self._keys)

    def _send_all(self) -> None:
        with self._lock:
            charts = [{**asdict(chart), "lines": list(chart.lines.values())} for chart in self._charts]
            rows = [(time, *values) for time, values in self._samples]
            columns = list(zip(*rows, strict=True)) if rows else [()] * (1 + len(self._keys))
            self.send({"kind": "all", "charts": charts}, [array("d", column).tobytes() for column in columns])
