"""Threads that serve a queue are held back for a moment while items are submitted in quick succession.

Threads that take the interpreter lock from each other at every system call do the same
work in nearly twice the time. So a burst of submissions is taken in first, and then
worked on. One item alone, and an item that a caller waits for, are not held back.
"""

from __future__ import annotations

import threading
import time

__all__ = ["SubmitBurst", "ThreadPace"]

_CLOSE = 0.002  # seconds between two submissions of a burst, at most
_QUIET = 0.001  # seconds without a submission that end it
_LONGEST = 0.25  # seconds that threads are held back, at most


class SubmitBurst:
    """Returns how long to hold back; times are monotonic seconds. The caller holds a lock."""

    def __init__(self) -> None:
        self._last = -1.0  # the last submission
        self._begin: float | None = None  # of the burst; None while there is none
        self._is_over = False  # threads were held back as long as they may be

    def arrive(self, now: float, *, awaited: bool) -> None:
        """Note a submission; `awaited` means that a caller waits for it."""
        close = now - self._last < _CLOSE
        self._last = now
        if awaited or not close:
            self._begin = None
            self._is_over = False
        elif self._begin is None and not self._is_over:
            self._begin = now

    def delay(self, now: float) -> float:
        """Return the seconds to hold back, 0 for none."""
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
        """Note that no item waits any more."""
        self._is_over = False


class ThreadPace:
    """Holds one thread back until a burst has ended, and sends the others to wait.

    Its time is that of the machine whatever the clock of the server: it is about processors, and changes no result.
    """

    def __init__(self) -> None:
        self._burst = SubmitBurst()
        self._lock = threading.Condition(threading.Lock())
        self._is_watched = False  # a thread waits for the end of the burst

    def arrive(self, *, awaited: bool) -> bool:
        """Note a new item; False if a thread is held back that will take it."""
        with self._lock:
            now = time.monotonic()
            self._burst.arrive(now, awaited=awaited)
            if not self._is_watched:
                return True
            if not self._burst.delay(now):
                self._lock.notify()
            return False

    def hold_back(self) -> bool:
        """Return once the burst has ended; False if another thread waits for that."""
        with self._lock:
            while delay := self._burst.delay(time.monotonic()):
                if self._is_watched:
                    return False
                self._is_watched = True
                self._lock.wait(delay)
                self._is_watched = False
            return True

    def drained(self) -> None:
        """Note that the queue is empty."""
        with self._lock:
            self._burst.drained()
