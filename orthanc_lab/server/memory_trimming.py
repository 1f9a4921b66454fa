"""Giving memory back to the system, as Orthanc does every 30 seconds (glibc only)."""

from __future__ import annotations

import sys

from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock

__all__ = ["MemoryTrimming"]

_INTERVAL_S = 30.0


class MemoryTrimming:
    """A task that calls ``malloc_trim``, so that the memory which a large upload needed is given back.

    Parameters
    ----------
    metrics
        Gets ``orthanc_memory_trimming_duration_ms``.
    """

    def __init__(self, metrics: Metrics, clock: Clock, executor: Executor, interval: float = _INTERVAL_S) -> None:
        self._metrics = metrics
        self._clock = clock
        self._interval = interval
        self._stopping = False
        self._task = executor.spawn("orthanc-lab-memory", self._steps()) if sys.platform == "linux" else None

    def stop(self) -> None:
        """End the task."""
        self._stopping = True
        if self._task is not None:
            self._task.wake()

    def _steps(self) -> Steps:
        yield min(1.0, self._interval)
        if self._stopping:
            return
        import ctypes  # noqa: PLC0415 - not at the start, where every millisecond counts

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is None:
            return
        yield self._interval
        while not self._stopping:
            begin = self._clock.monotonic()
            trim(0)
            self._metrics.record("orthanc_memory_trimming_duration_ms", int((self._clock.monotonic() - begin) * 1000))
            yield self._interval
