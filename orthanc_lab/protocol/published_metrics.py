"""The metrics that the server publishes, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable

from orthanc_lab.protocol.metrics import POLICIES, MetricPolicy
from orthanc_lab.protocol.ports import Clock

__all__ = ["PublishedMetrics"]

_MAX_AGE_S = 10


class PublishedMetrics:
    """Values and times of the metrics; each update follows the policy of its metric.

    Nothing expires by itself: without new events an old maximum stays, as in Orthanc.

    Parameters
    ----------
    clock
        Gives the time of the last update, in milliseconds since the Unix epoch.
    enabled
        False records nothing and publishes nothing; what was recorded before is kept.
    """

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._clock = clock
        self._policies = dict(POLICIES)
        self._values: dict[str, tuple[float, float, int]] = {}  # value, monotonic time in s, epoch in ms
        self._gauges: list[Callable[[], Iterable[tuple[str, float]]]] = []
        self._read: list[tuple[str, float]] = []  # what the gauges said last …
        self._pieces: list[str] | None = None  # … and the exposition then: the time stands between two pieces
        self._lock = threading.Lock()

    def add(self, name: str, policy: MetricPolicy) -> None:
        """Announce a metric that is not in the table."""
        self._policies[name] = policy

    def add_gauge(self, read: Callable[[], Iterable[tuple[str, float]]]) -> None:
        """Add a reader of values that are refreshed at each scrape, each in place of the last one."""
        self._gauges.append(read)

    def record(self, name: str, value: float) -> None:
        """Update the metric `name` by its policy; nothing happens while metrics are off."""
        if not self.enabled:
            return
        policy = self._policies[name]
        now = self._clock.monotonic()
        if self._is_dropped(policy, name, value, now):
            return  # the usual case costs no lock
        moment = self._milliseconds()
        with self._lock:
            self._update(name, value, now, moment)

    def _update(self, name: str, value: float, now: float, moment: int) -> None:
        policy = self._policies[name]
        if self._is_dropped(policy, name, value, now):
            return
        if policy is MetricPolicy.INCREMENT and name in self._values:
            value += self._values[name][0]
        self._values[name] = (value, now, moment)
        self._pieces = None

    def _milliseconds(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _is_dropped(self, policy: MetricPolicy, name: str, value: float, now: float) -> bool:
        if policy is not MetricPolicy.MAX_OVER_10_SECONDS:
            return False
        stored = self._values.get(name)
        return stored is not None and value <= stored[0] and int(now - stored[1]) <= _MAX_AGE_S

    def value(self, name: str) -> float:
        """Return the last value of a metric, 0 if there is none."""
        stored = self._values.get(name)
        return stored[0] if stored is not None else 0

    def exposition(self) -> str:
        """Return one line ``name value timestamp`` a metric, sorted; empty while metrics are off."""
        if not self.enabled:
            return ""
        read = [pair for gauge in self._gauges for pair in gauge()]
        now, moment = self._clock.monotonic(), self._milliseconds()
        with self._lock:
            if self._pieces is None or read != self._read:
                self._values.update([(name, (value, now, moment)) for name, value in read])
                self._read, self._pieces = read, self._written(dict(read))
            pieces = self._pieces
        return str(moment).join(pieces)

    def _written(self, gauges: Container[str]) -> list[str]:
        pieces, text = [], ""
        for name, (value, _, moment) in sorted(self._values.items()):
            text += f"{name} {_number(value)} "
            if name in gauges:  # it has the time of the scrape
                pieces.append(text)
                text = "\n"
            else:
                text += f"{moment}\n"
        return [*pieces, text]


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"
