"""When a call to a peer has to be over."""

from __future__ import annotations

from orthanc_lab.protocol.ports import Clock

__all__ = ["Deadline"]


class Deadline:
    """When a call has to be over.

    Parameters
    ----------
    seconds
        From now; None for no limit.
    """

    def __init__(self, clock: Clock, seconds: float | None) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def extended(self, seconds: int) -> Deadline:
        """Return one that is at least so many seconds away."""
        later = Deadline(self._clock, seconds)
        return self if self._end is None or later._end is None or self._end >= later._end else later

    def left(self) -> float | None:
        """Return the seconds that are left, None without a limit.

        Raises
        ------
        TimeoutError
            If it has passed.
        """
        if self._end is None:
            return None
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
