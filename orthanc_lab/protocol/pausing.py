"""Waiting by a clock, in the thread of the caller."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.ports import Clock

__all__ = ["Closing", "pause"]


def pause(clock: Clock, seconds: float) -> None:
    """Return after this time of a clock."""
    moment = clock.monotonic() + seconds
    condition = threading.Condition()
    with condition:
        while clock.monotonic() < moment:
            clock.wait_until(condition, moment)


class Closing:
    """Ends the pauses of threads, once what they work for is being closed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether it is being closed."""
        return self._is_set

    def set(self) -> None:
        """End the pauses of all threads, at once and from now on."""
        with self._changed:
            self._is_set = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> bool:
        """Return after this time of the clock, or as soon as it is being closed; tells whether it is."""
        moment = self._clock.monotonic() + seconds
        with self._changed:
            while not self._is_set and self._clock.monotonic() < moment:
                self._clock.wait_until(self._changed, moment)
            return self._is_set
