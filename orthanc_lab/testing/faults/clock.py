"""The faults of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from orthanc_lab.testing.faults.part import FaultyPart

__all__ = ["FaultyClock"]


class FaultyClock(FaultyPart):
    """A clock whose time of day jumps, if that is in force; its monotonic time does not."""

    def now(self) -> datetime:
        """Return the time of day."""
        now: datetime = self._plain.now()
        fault = self._faults.happens("clock that jumps")
        return now if fault is None else now + timedelta(seconds=fault.trigger.seconds)
