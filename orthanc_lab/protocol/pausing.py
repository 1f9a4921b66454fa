"""Waiting in the thread of the caller, by a clock."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.ports import Clock

__all__ = ["pause"]


def pause(clock: Clock, seconds: float) -> None:
    """Return after this time of a clock."""
    moment = clock.monotonic() + seconds
    condition = threading.Condition()
    with condition:
        while clock.monotonic() < moment:
            clock.wait_until(condition, moment)
