"""Workers stand back for a moment while jobs are submitted in quick succession.

Threads that take the interpreter lock from each other at every system call do the same
work in nearly twice the time. So a burst of submissions is taken in first, and then
worked on. One job alone, and a job that a caller waits for, are not kept waiting.
"""

from __future__ import annotations

__all__ = ["SubmitBurst"]

_CLOSE = 0.002  # seconds between two submissions of a burst, at most
_QUIET = 0.001  # seconds without a submission that end it
_LONGEST = 0.25  # seconds that workers stand back, at most


class SubmitBurst:
    """Tells how long to stand back; times are monotonic seconds. The caller holds a lock."""

    def __init__(self) -> None:
        self._last = -1.0  # the last submission
        self._begin: float | None = None  # of the burst; None while there is none
        self._is_over = False  # workers stood back as long as they may

    def arrive(self, now: float, *, awaited: bool) -> None:
        """Note a submission; `awaited` tells that a caller waits for this job."""
        close = now - self._last < _CLOSE
        self._last = now
        if awaited or not close:
            self._begin = None
            self._is_over = False
        elif self._begin is None and not self._is_over:
            self._begin = now

    def delay(self, now: float) -> float:
        """Return the seconds to stand back, 0 for none."""
        if self._begin is None:
            return 0.0
        longest = self._begin + _LONGEST
        end = min(self._last + _QUIET, longest)
        if now < end:
            return end - now
        self._begin = None
        self._is_over = now >= longest
        return 0.0

    def drained(self) -> None:
        """Note that no job waits any more."""
        self._is_over = False
