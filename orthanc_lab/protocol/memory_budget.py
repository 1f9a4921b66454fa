"""One budget for the memory of all that is being unpacked at the same time, on however many connections.

What a client sends costs the memory that it has sent. What unpacks to more (compressed uploads, pictures, frames,
deflated files, arrays of numbers, nested sequences) reserves the difference here before it takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock, SystemClock

__all__ = ["UNLIMITED", "MemoryBudget", "Reservation"]

_PATIENCE_S = 5.0
_SPENT = "Too much is being unpacked at the same time (MaximumUnpackedSize), try again later"


class MemoryBudget:
    """Bytes that may be reserved at the same time; thread-safe.

    What alone exceeds the budget is let in when nothing else is reserved: it is a limit for what many do at once,
    not for the size of one file.

    Parameters
    ----------
    most
        Bytes; 0 for no limit.
    clock
        Tells how long a caller has waited.
    patience
        Seconds that a caller waits for others to finish.

    Examples
    --------
    >>> budget = MemoryBudget(1000, patience=0)
    >>> with budget.reserve(800), budget.reserve(200):
    ...     budget.used
    1000
    >>> with budget.reserve(800), budget.reserve(201):
    ...     pass
    Traceback (most recent call last):
        ...
    orthanc_lab.protocol.errors.OrthancError: Too much is being unpacked at the same time ...
    >>> budget.used
    0
    """

    def __init__(self, most: int = 0, clock: Clock | None = None, *, patience: float = _PATIENCE_S) -> None:
        self._most = most
        self._clock = clock or SystemClock()
        self._patience = patience
        self._changed = threading.Condition()
        self._used = 0

    @property
    def used(self) -> int:
        """Bytes that are reserved now."""
        return self._used

    def reserve(self, size: int) -> Reservation:
        """Reserve memory, for a ``with`` block or for as long as the returned object lives.

        Raises
        ------
        OrthancError
            4 with status 503 if others have not released enough of it in time.
        """
        reservation = Reservation(self)
        reservation.add(size)
        return reservation

    def _take(self, size: int, own: int) -> int:
        """Wait for memory; return how much was taken, of which a caller that has `own` gets no more than all."""
        if not self._most:
            return 0
        size = min(size, self._most - own)
        with self._changed:
            if self._used + size > self._most:
                self._wait_for(size)
            self._used += size
        return size

    def _wait_for(self, size: int) -> None:
        end = self._clock.monotonic() + self._patience
        while self._used + size > self._most:
            if self._clock.monotonic() >= end:
                raise OrthancError(ErrorCode.NOT_ENOUGH_MEMORY, _SPENT, status=503)
            self._clock.wait_until(self._changed, end)

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._used -= size
            self._changed.notify_all()


class Reservation:
    """Memory that is reserved until the end of a ``with`` block, or of the object itself."""

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._size = 0

    def add(self, size: int) -> None:
        """Reserve more.

        Raises
        ------
        OrthancError
            As `MemoryBudget.reserve`.
        """
        self._size += self._budget._take(size, self._size)

    @contextmanager
    def more(self, size: int) -> Iterator[None]:
        """Reserve more, for a ``with`` block.

        Raises
        ------
        OrthancError
            As `MemoryBudget.reserve`.
        """
        taken = self._budget._take(size, self._size)
        self._size += taken
        try:
            yield
        finally:
            self._size -= taken
            self._budget._give_back(taken)

    def release(self) -> None:
        """Give all of it back."""
        size, self._size = self._size, 0
        if size:
            self._budget._give_back(size)

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


UNLIMITED = MemoryBudget()
"""A budget without a limit."""
