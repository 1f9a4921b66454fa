"""Resources become stable some time after their last new instance."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Stability"]

_POLL = 0.2  # seconds between two looks at the clock, while something is unstable
_STABLE = (ChangeType.STABLE_PATIENT, ChangeType.STABLE_STUDY, ChangeType.STABLE_SERIES)


class Stability:
    """A thread that logs the changes StablePatient, StableStudy and StableSeries.

    Parameters
    ----------
    age
        Seconds without a new instance after which a resource is stable (``StableAge``).
    """

    def __init__(self, writer: Writer, readers: Readers, clock: Clock, age: float) -> None:
        self._writer = writer
        self._clock = clock
        self._age = age
        self._wake = threading.Condition()
        self._closing = False
        with readers.reading() as connection:
            unstable = connection.execute("SELECT key FROM resources WHERE stable = 0 ORDER BY key DESC").fetchall()
        self._deadlines: dict[int, float] = {key: clock.monotonic() + age for (key,) in unstable}  # in order of time
        self._thread = threading.Thread(target=self._watch, name="stable-resources", daemon=True)
        self._thread.start()

    def touch(self, keys: Sequence[int]) -> None:
        """Take note of a new instance below these resources."""
        deadline = self._clock.monotonic() + self._age
        with self._wake:
            idle = not self._deadlines
            for key in keys:
                self._deadlines.pop(key, None)
                self._deadlines[key] = deadline
            if idle:
                self._wake.notify()

    def close(self) -> None:
        """End the thread; what is unstable now is watched again after the next start."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            with self._wake:
                if not self._closing:
                    self._wake.wait(_POLL if self._deadlines else None)
                if self._closing:
                    return
                now = self._clock.monotonic()
                due = []
                for key, deadline in self._deadlines.items():
                    if deadline > now:
                        break
                    due.append(key)
                for key in due:
                    del self._deadlines[key]
            if due:
                self._settle(due)

    def _settle(self, keys: Sequence[int]) -> None:
        date = iso_seconds(self._clock.now())

        def operation(transaction: Transaction) -> None:
            transaction.lineages.clear()
            for key in keys:
                row = transaction.execute(
                    "UPDATE resources SET stable = 1 WHERE key = ? AND stable = 0 RETURNING level", (key,)
                ).fetchone()
                if row is not None:
                    log_change(transaction, _STABLE[row[0]], key, date)

        self._writer.run(operation)
