"""The faults of the clock."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from orthanc_lab.protocol.ports import Clock
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyClock"]


class FaultyClock:
    """A clock whose time of day jumps, if that is in force; its monotonic time does not."""

    def __init__(self, clock: Clock, faults: FaultSwitches) -> None:
        self._clock = clock
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)  # one that is moved by hand still is

    def now(self) -> datetime:
        """Return the time of day."""
        now = self._clock.now()
        fault = self._faults.happens("clock that jumps")
        return now if fault is None else now + timedelta(seconds=fault.trigger.seconds)

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary start."""
        return self._clock.monotonic()

    def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
        """Wait, as the clock does."""
        self._clock.wait_until(condition, moment)
