"""Trying again, with an end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from orthanc_lab.protocol.pausing import pause
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.storage.files.area import AreaError

__all__ = ["Retries"]

T = TypeVar("T")

_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and for how long, something is tried again that failed for a passing reason."""

    clock: Clock
    most: int = 10
    seconds: float = 10.0  # no further attempt begins later than this after the first one

    def run(self, attempt: Callable[[], T]) -> T:
        """Return the result of the first attempt that does not end in an `AreaError` which may pass.

        Raises
        ------
        AreaError
            That of the last attempt.
        """
        end = self.clock.monotonic() + self.seconds
        seconds = _FIRST_PAUSE
        for _ in range(self.most):
            try:
                return attempt()
            except AreaError as error:
                if not error.is_away or self.clock.monotonic() + seconds > end:
                    raise
            pause(self.clock, seconds * random.uniform(0.75, 1.25))
            seconds = min(2 * seconds, _LONGEST_PAUSE)
        return attempt()
