"""The faults of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from orthanc_lab.testing.faults.port import FaultyPort

__all__ = ["FaultyClock"]


class FaultyClock(FaultyPort):
    """A clock whose time of day jumps, if that is in force; its monotonic time does not."""

    def now(self) -> datetime:
        """Return the time of day."""
        now: datetime = self._port.now()
        fault = self._faults.happens("clock that jumps")
        return now if fault is None else now + timedelta(seconds=fault.trigger.seconds)
