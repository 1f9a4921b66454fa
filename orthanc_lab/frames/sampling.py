"""Looking at something again and again, at fixed times, without drifting."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from orthanc_lab.protocol.ports import Clock

__all__ = ["Look", "Wait", "look_repeatedly"]

Look = Callable[[datetime, bool], None]
"""Called with the time of a look, and True if it was missed (nothing is to be asked then)."""

Wait = Callable[[threading.Event, float], bool]
"""Waits for the event, at most so many seconds; True if it is set. Usually `threading.Event.wait`."""


def look_repeatedly(
    look: Look, interval: float, stop: threading.Event, *, clock: Clock, wait: Wait, duration: float | None = None
) -> None:
    """Call `look` every `interval` seconds until `stop` is set, or `duration` seconds are over.

    A look that begins late by an interval or more (the machine slept, the server did not answer) is preceded by
    a call for the one that was missed.
    """
    begin = due = clock.monotonic()
    while not stop.is_set():
        look(clock.now(), False)
        due += interval
        late = clock.monotonic() - due
        if late >= interval:
            look(clock.now() - timedelta(seconds=late), True)
            due += math.ceil(late / interval) * interval
        if duration is not None and due - begin > duration + interval * 1e-6:
            return
        if wait(stop, max(0.0, due - clock.monotonic())):
            return


def check_interval(interval: float, capacity: int = 1) -> None:
    """Raise ValueError for an interval or a capacity that is not positive."""
    if not interval > 0:
        raise ValueError(f"The interval must be more than 0 seconds, not {interval}")
    if capacity < 1:
        raise ValueError(f"The capacity must be at least 1, not {capacity}")
