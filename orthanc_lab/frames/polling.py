"""Polling at fixed times, without drift."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from orthanc_lab.client.arguments import check_seconds
from orthanc_lab.protocol.ports import Clock

__all__ = ["Poll", "Wait", "check_interval", "poll_repeatedly"]

Poll = Callable[[datetime, bool], None]
"""Called with the time of a poll, and whether it was missed, in which case there is nothing to query."""

Wait = Callable[[threading.Event, float], bool]
"""Waits for the event, at most the given seconds; True if it is set. Usually `threading.Event.wait`."""


def poll_repeatedly(
    poll: Poll, interval: float, stop: threading.Event, *, clock: Clock, wait: Wait, duration: float | None = None
) -> None:
    """Call `poll` every `interval` seconds until `stop` is set, or for `duration` seconds.

    A poll that begins late by an interval or more (the machine was suspended, the server did not answer) is preceded
    by a call for the one that was missed.
    """
    begin = due = clock.monotonic()
    while not stop.is_set():
        poll(clock.now(), False)
        due += interval
        late = clock.monotonic() - due
        if late >= interval:
            poll(clock.now() - timedelta(seconds=late), True)
            due += math.ceil(late / interval) * interval
        if duration is not None and due - begin > duration + interval * 1e-6:
            return
        if wait(stop, max(0.0, due - clock.monotonic())):
            return


def check_interval(interval: float, capacity: int = 1) -> None:
    """Raise ValueError for an interval or a capacity that is not positive, TypeError for what is no number."""
    check_seconds("interval", interval)
    if not interval > 0:
        raise ValueError(f"The interval must be more than 0 seconds, not {interval}")
    if capacity < 1:
        raise ValueError(f"The capacity must be at least 1, not {capacity}")
