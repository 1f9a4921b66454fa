"""Giving memory back to the system, as Orthanc does every 30 seconds (glibc only)."""

from __future__ import annotations

import sys
import threading
import time

from orthanc_lab.protocol.metrics import Metrics

__all__ = ["MemoryTrimming"]

_INTERVAL_S = 30.0


class MemoryTrimming:
    """A thread that calls ``malloc_trim``; what a large upload needed does not stay for ever.

    Parameters
    ----------
    metrics
        Gets ``orthanc_memory_trimming_duration_ms``.
    """

    def __init__(self, metrics: Metrics, interval: float = _INTERVAL_S) -> None:
        self._metrics = metrics
        self._interval = interval
        self._stop = threading.Event()
        if sys.platform == "linux":
            threading.Thread(target=self._run, name="orthanc-lab-memory", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _run(self) -> None:
        if self._stop.wait(min(1.0, self._interval)):
            return
        import ctypes  # noqa: PLC0415 - not at the start, where every millisecond counts

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is None:
            return
        while not self._stop.wait(self._interval):
            start = time.monotonic()
            trim(0)
            self._metrics.record("orthanc_memory_trimming_duration_ms", int((time.monotonic() - start) * 1000))
