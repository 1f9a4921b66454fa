"""Resources become stable some time after their last new instance.

Where several servers share an index, each watches what it has touched, by its own clock alone, and makes it stable
unless another server has touched it later: its number (`Transaction.touch`) tells. Now and then each looks for what
others have touched, and would see to it, from then on, should they be gone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.transaction import Key, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Stability"]

_RETRY = 1.0  # seconds until the next try, if the index could not be written
_LONGEST_END = 30.0  # seconds
_LOOK_AGAIN = 5.0  # seconds between two looks at what other servers have touched
_MOST = 1000  # resources that become stable in one transaction
_STABLE = {
    Level.PATIENT: ChangeType.STABLE_PATIENT,
    Level.STUDY: ChangeType.STABLE_STUDY,
    Level.SERIES: ChangeType.STABLE_SERIES,
}


class _Watched(NamedTuple):
    deadline: float  # by the monotonic clock
    number: int  # of the last touch that is known


class Stability:
    """A task that logs the changes StablePatient, StableStudy and StableSeries.

    What is unstable when the server stops is watched again after the next start.

    Parameters
    ----------
    unstable
        Returns the resources that are not stable, with their last touch.
    is_shared
        Whether other servers touch resources, too.
    age
        Seconds without a new instance after which a resource is stable (``StableAge``).
    """

    def __init__(
        self,
        transactions: Transactions,
        unstable: Callable[[], Sequence[tuple[Key, int]]],
        *,
        is_shared: bool,
        clock: Clock,
        executor: Executor,
        age: float,
    ) -> None:
        self._transactions = transactions
        self._unstable = unstable
        self._clock = clock
        self._age = age
        self._lock = threading.Lock()  # guards the watched
        self._closing = False
        self._watched: dict[Key, _Watched] = {}  # by time
        self._look_again = clock.monotonic() if is_shared else None  # when to look at what others have touched
        self._take_note()
        self._task = executor.spawn("stable-resources", self._watch())

    def touch(self, keys: Sequence[Key], number: int) -> None:
        """Take note of a new instance below these resources."""
        watched = self._watched
        entry = _Watched(self._clock.monotonic() + self._age, number)
        with self._lock:
            is_first = not watched
            for key in keys:
                watched.pop(key, None)
                watched[key] = entry
        if is_first:
            self._task.wake()

    def close(self) -> None:
        """End the task."""
        self._closing = True
        self._task.wake()
        self._task.join(_LONGEST_END)

    def _watch(self) -> Steps:
        while not self._closing:
            try:
                if self._look_again is not None and self._clock.monotonic() >= self._look_again:
                    self._take_note()
                due, pause = self._due()
                if due:
                    self._settle(due)
                    continue
            except OrthancError:  # a full disk: the uploads were answered, so the changes must come
                pause = _RETRY
            yield pause

    def _take_note(self) -> None:
        """Watch what is unstable and was touched by others, or before the start."""
        unstable = self._unstable()
        now = self._clock.monotonic()
        if self._look_again is not None:
            self._look_again = now + _LOOK_AGAIN
        with self._lock:
            for key, number in unstable:
                known = self._watched.get(key)
                if known is None or known.number < number:
                    self._watched.pop(key, None)
                    self._watched[key] = _Watched(now + self._age, number)

    def _due(self) -> tuple[dict[Key, _Watched], float | None]:
        """Return what is to be stable now, and the seconds until there is more to do; None if there is nothing."""
        now = self._clock.monotonic()
        due: dict[Key, _Watched] = {}
        pause = None if self._look_again is None else max(self._look_again - now, 0)
        with self._lock:
            for key, watched in islice(self._watched.items(), _MOST):
                if watched.deadline > now:
                    left = watched.deadline - now
                    return due, left if pause is None else min(left, pause)
                due[key] = watched
        return due, pause

    def _settle(self, due: dict[Key, _Watched]) -> None:
        date = iso_seconds(self._clock.now())

        def operation(transaction: Transaction) -> None:
            # Without those that got an instance in the meantime.
            touched = {key: watched.number for key, watched in due.items() if self._watched.get(key) is watched}
            for key, level in transaction.settle(touched):
                transaction.log_change(_STABLE[level], key, date)

        self._transactions.run(operation)
        with self._lock:
            for key, watched in due.items():
                if self._watched.get(key) is watched:
                    del self._watched[key]
