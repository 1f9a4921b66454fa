"""Resources become stable some time after their last new instance."""

from __future__ import annotations

import threading
from collections.abc import Sequence

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
_STABLE = {
    Level.PATIENT: ChangeType.STABLE_PATIENT,
    Level.STUDY: ChangeType.STABLE_STUDY,
    Level.SERIES: ChangeType.STABLE_SERIES,
}


class Stability:
    """A task that logs the changes StablePatient, StableStudy and StableSeries.

    What is unstable when the server stops is watched again after the next start.

    Parameters
    ----------
    unstable
        Resources that are not stable at the start.
    age
        Seconds without a new instance after which a resource is stable (``StableAge``).
    """

    def __init__(
        self, transactions: Transactions, unstable: Sequence[Key], *, clock: Clock, executor: Executor, age: float
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._age = age
        self._lock = threading.Lock()  # guards the deadlines
        self._closing = False
        deadline = clock.monotonic() + age
        self._deadlines: dict[Key, float] = dict.fromkeys(unstable, deadline)  # by time
        self._task = executor.spawn("stable-resources", self._watch())

    def touch(self, keys: Sequence[Key]) -> None:
        """Take note of a new instance below these resources."""
        deadline = self._clock.monotonic() + self._age
        deadlines = self._deadlines
        with self._lock:
            is_first = not deadlines
            for key in keys:
                deadlines.pop(key, None)
                deadlines[key] = deadline
        if is_first:
            self._task.wake()

    def close(self) -> None:
        """End the task."""
        self._closing = True
        self._task.wake()
        self._task.join(_LONGEST_END)

    def _watch(self) -> Steps:
        while not self._closing:
            due, pause = self._due()
            if due:
                try:
                    self._settle(due)
                except OrthancError:  # a full disk: the uploads were answered, so the changes must come
                    pause = _RETRY
                else:
                    continue
            yield pause

    def _due(self) -> tuple[dict[Key, float], float | None]:
        """Return what is to be stable now, and the seconds until there is more; None if nothing is unstable."""
        now = self._clock.monotonic()
        due: dict[Key, float] = {}
        with self._lock:
            for key, deadline in self._deadlines.items():
                if deadline > now:
                    return due, deadline - now
                due[key] = deadline
        return due, None

    def _settle(self, due: dict[Key, float]) -> None:
        date = iso_seconds(self._clock.now())

        def operation(transaction: Transaction) -> None:
            for key, deadline in due.items():
                if self._deadlines.get(key) != deadline:
                    continue  # it got an instance in the meantime
                level = transaction.settle(key)
                if level is not None:
                    transaction.log_change(_STABLE[level], key, date)

        self._transactions.run(operation)
        with self._lock:
            for key, deadline in due.items():
                if self._deadlines.get(key) == deadline:
                    del self._deadlines[key]
