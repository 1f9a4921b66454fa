"""Holding answers back, until a test or a lesson lets them through."""

from __future__ import annotations

import threading

__all__ = ["Gate"]

_LONGEST_HOLD = 60.0


class Gate:
    """Holds requests: open at first, so that everything is answered at once; threads share it."""

    def __init__(self) -> None:
        self._permits: int | None = None  # number of requests that may be answered, None for all
        self._held = 0
        self._let_go = 0  # how often
        self._change = threading.Condition()

    def hold(self) -> None:
        """From now on, hold all requests that arrive."""
        self._set(0)

    def let_go(self) -> None:
        """Answer the held requests, even if `hold` follows at once, and all further ones."""
        with self._change:
            self._let_go += 1
        self._set(None)

    def let_through(self, count: int = 1) -> None:
        """Answer exactly `count` requests, held or new, and hold the rest."""
        self._set(count)

    def _set(self, permits: int | None) -> None:
        with self._change:
            self._permits = permits
            self._change.notify_all()

    def wait_until_held(self, count: int = 1) -> None:
        """Wait until at least `count` requests are held, and none may be answered.

        Raises
        ------
        TimeoutError
            If they do not arrive within a minute.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._permits == 0 and self._held >= count, _LONGEST_HOLD):
                raise TimeoutError(f"Only {self._held} of {count} requests are held after {_LONGEST_HOLD:g} s")

    def wait_for_permit(self) -> None:
        """Hold a request, for at most a minute, until it may be answered."""
        with self._change:
            arrived = self._let_go
            self._held += 1
            self._change.notify_all()
            self._change.wait_for(lambda: self._let_go != arrived or self._permits != 0, _LONGEST_HOLD)
            if self._let_go == arrived and self._permits:
                self._permits -= 1
            self._held -= 1
            self._change.notify_all()
