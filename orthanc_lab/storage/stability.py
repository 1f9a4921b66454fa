"""Resources become stable some time after their last new instance."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Stability"]

_POLL = 0.2  # seconds between two looks at the clock, while something is unstable
_RETRY = 1.0  # seconds until the next try, if the index could not be written
_STABLE = (ChangeType.STABLE_PATIENT, ChangeType.STABLE_STUDY, ChangeType.STABLE_SERIES)


class Stability:
    """A thread that logs the changes StablePatient, StableStudy and StableSeries.

    What is unstable when the server stops is watched again after the next start.

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
        deadline = clock.monotonic() + age
        self._deadlines: dict[int, float] = {key: deadline for (key,) in readers.fetch(SQL["unstable"])}  # by time
        self._thread = threading.Thread(target=self._watch, name="stable-resources", daemon=True)
        self._thread.start()

    def touch(self, keys: Sequence[int]) -> None:
        """Take note of a new instance below these resources."""
        deadline = self._clock.monotonic() + self._age
        deadlines = self._deadlines
        with self._wake:
            if not deadlines:
                self._wake.notify()
            for key in keys:
                deadlines.pop(key, None)
                deadlines[key] = deadline

    def close(self) -> None:
        """End the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _watch(self) -> None:
        pause = _POLL
        while True:
            with self._wake:
                if not self._closing:
                    self._wake.wait(pause if self._deadlines else None)
                if self._closing:
                    return
                due = self._due()
            pause = _POLL
            if due:
                try:
                    self._settle(due)
                except OrthancError:  # a full disk: their uploads were answered, so their changes must come
                    pause = _RETRY
                    continue
                with self._wake:
                    for key, deadline in due.items():
                        if self._deadlines.get(key) == deadline:
                            del self._deadlines[key]

    def _due(self) -> dict[int, float]:
        now = self._clock.monotonic()
        due = {}
        for key, deadline in self._deadlines.items():
            if deadline > now:
                break
            due[key] = deadline
        return due

    def _settle(self, due: dict[int, float]) -> None:
        date = iso_seconds(self._clock.now())

        def operation(transaction: Transaction) -> None:
            transaction.lineages.clear()
            for key, deadline in due.items():
                if self._deadlines.get(key) != deadline:
                    continue  # it got an instance in the meantime
                row = transaction.execute(SQL["settle"], (key,)).fetchone()
                if row is not None:
                    log_change(transaction, _STABLE[row[0]], key, date)

        self._writer.run(operation)
