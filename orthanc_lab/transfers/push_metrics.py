"""The metrics of transfers, which are published from the first push on."""

from __future__ import annotations

from orthanc_lab.protocol.metrics import MetricPolicy
from orthanc_lab.protocol.published_metrics import PublishedMetrics

__all__ = ["PushMetrics"]

_PREFIX = "orthanc_transfers_"
_COUNTERS = (
    "cache_hit_count",
    "cache_miss_count",
    "created_push_count",
    "committed_push_count",
    "aborted_push_count",
    "push_total_received_bytes_count",
    "push_total_time_spent_in_reception_ms",
    "push_total_time_spent_in_commit_ms",
)
_GAUGES = ("used_cache_size", "available_push_count")


class PushMetrics:
    """Counts what happens to the pushes that a server receives."""

    def __init__(self, metrics: PublishedMetrics) -> None:
        self._metrics = metrics
        for name in _COUNTERS:
            metrics.add(_PREFIX + name, MetricPolicy.INCREMENT)
        for name in _GAUGES:
            metrics.add(_PREFIX + name, MetricPolicy.DIRECTLY)

    def created(self, available: int, *, aborted: int) -> None:
        """Count a new transaction, and those that made place for it."""
        for name in _COUNTERS:
            self._record(name, {"created_push_count": 1, "aborted_push_count": aborted}.get(name, 0))
        self._record("used_cache_size", 0)  # files are read in parts, so that none needs to be kept
        self._record("available_push_count", available)

    def received(self, size: int, seconds: float) -> None:
        """Count a bucket of `size` bytes on the wire."""
        self._record("push_total_received_bytes_count", size)
        self._record("push_total_time_spent_in_reception_ms", int(seconds * 1000))

    def committed(self, seconds: float) -> None:
        """Count the time of a commit."""
        self._record("push_total_time_spent_in_commit_ms", int(seconds * 1000))

    def ended(self, available: int) -> None:
        """Count a transaction that was committed or deleted."""
        self._record("committed_push_count", 1)
        self._record("available_push_count", available)

    def _record(self, name: str, value: float) -> None:
        self._metrics.record(_PREFIX + name, value)
