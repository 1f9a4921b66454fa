"""How the server's process keeps freed memory, and gives it back to the system (glibc only).

Orthanc trims every 30 seconds. Here it is done more often, because more is kept in between.
"""

from __future__ import annotations

import sys
import time

from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock

__all__ = ["MemoryTrimming", "keep_memory_for_all_threads"]

_INTERVAL_S = 5.0
_BUSY_S = 0.02  # processor time; a server that did less has nothing new to give back
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # as in malloc.h
_LARGEST_KEPT = 32 << 20  # bytes of a block that is kept when it is freed; glibc allows no more
_MOST_KEPT = 64 << 20  # bytes


def keep_memory_for_all_threads() -> None:
    """Let all threads of this process share the memory that was freed; for a process that is a server, before them.

    By itself, glibc keeps up to 64 MB for each thread, and `malloc_trim` does not give all of that back: pictures
    sent by four clients left 160 MB behind. Large blocks are kept, because it takes longer to get them again.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - for Linux alone

        adjust = getattr(ctypes.CDLL(None), "mallopt", None)
        if adjust is not None:
            adjust(_ARENA_MAX, 1)
            adjust(_MMAP_THRESHOLD, _LARGEST_KEPT)
            adjust(_TRIM_THRESHOLD, _MOST_KEPT)


class MemoryTrimming:
    """A task that calls ``malloc_trim``, so that the memory which a large upload needed is given back soon.

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
        worked = -_BUSY_S
        while not self._stopping:
            if time.process_time() - worked >= _BUSY_S:
                begin = self._clock.monotonic()
                trim(0)
                self._metrics.record(
                    "orthanc_memory_trimming_duration_ms", int((self._clock.monotonic() - begin) * 1000)
                )
                worked = time.process_time()
            yield self._interval
