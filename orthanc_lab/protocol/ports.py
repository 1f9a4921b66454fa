"""Ports to the outside: the time, fresh identifiers, the configuration.

They are passed in, never taken from a global, so that a test can set the time and a
notebook gets the same identifiers in every run.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

__all__ = [
    "Clock",
    "Identifiers",
    "ManualClock",
    "SeededIdentifiers",
    "Settings",
    "SystemClock",
    "SystemIdentifiers",
]


class Clock(Protocol):
    """The time of day, and a monotonic time."""

    def now(self) -> datetime:
        """Return the time of day as an aware datetime in UTC."""
        ...

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary start; they never decrease."""
        ...

    def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
        """Wait, with the lock of `condition` held, until it is notified or `monotonic` has reached `moment`."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()

    def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
        """Wait for a notification, or until `time.monotonic` has reached `moment`."""
        condition.wait(None if moment is None else max(moment - time.monotonic(), 0))


class ManualClock:
    """A clock that a test moves by hand.

    Parameters
    ----------
    start
        The initial time of day, an aware datetime.

    Raises
    ------
    TypeError, ValueError
        If it is no datetime, or has no time zone.

    Examples
    --------
    >>> clock = ManualClock(datetime(2030, 1, 2, tzinfo=UTC))
    >>> clock.advance(90)
    >>> clock.now().isoformat(), clock.monotonic()
    ('2030-01-02T00:01:30+00:00', 90.0)
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        if not isinstance(start, datetime):
            raise TypeError(f"start is a datetime, datetime(2026, 1, 1, tzinfo=UTC), not {start!r}")
        if start.tzinfo is None:
            raise ValueError("start needs a time zone: datetime(2026, 1, 1, tzinfo=UTC)")
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()
        self._waiting: list[threading.Condition] = []

    def __repr__(self) -> str:
        return f"<ManualClock {self.now().isoformat()}>"

    def now(self) -> datetime:
        """Return the initial time plus all advances."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return the number of seconds advanced so far."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Move both times forward by `seconds`; waiting threads check the time again."""
        with self._lock:
            self._elapsed += seconds
            waiting = tuple(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()

    def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
        """Wait for a notification; `advance` is one."""
        with self._lock:
            self._waiting.append(condition)
        try:
            if moment is None or self._elapsed < moment:
                condition.wait()
        finally:
            with self._lock:
                self._waiting.remove(condition)


class Identifiers(Protocol):
    """A source of fresh identifiers."""

    def uuid(self) -> str:
        """Return a new lower-case UUID v4, for jobs, attachments and generated PatientIDs."""
        ...

    def uid(self) -> str:
        """Return a new DICOM UID of at most 64 characters (PS3.5 section B.2, root 2.25)."""
        ...


class SystemIdentifiers:
    """Identifiers from the operating system's random number generator."""

    def uuid(self) -> str:
        """Return a random UUID v4."""
        digits = os.urandom(16).hex()  # `uuid.uuid4` takes five times as long
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def uid(self) -> str:
        """Return a UID made from a UUID (root 2.25)."""
        return f"2.25.{uuid.uuid4().int}"


class SeededIdentifiers:
    """The same identifiers in every run, for notebooks and tests.

    Examples
    --------
    >>> one, other = SeededIdentifiers(1), SeededIdentifiers(1)
    >>> one.uuid() == other.uuid(), one.uid() == other.uid()
    (True, True)
    >>> one.uid()[:5]
    '2.25.'
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def _next(self) -> uuid.UUID:
        with self._lock:
            return uuid.UUID(int=self._random.getrandbits(128), version=4)

    def uuid(self) -> str:
        """Return the next UUID of the sequence."""
        return str(self._next())

    def uid(self) -> str:
        """Return the next UID of the sequence (root 2.25)."""
        return f"2.25.{self._next().int}"


class Settings(Protocol):
    """The configuration in force; options that were not set have their defaults."""

    def __getitem__(self, name: str) -> Any:
        """Return the value of an option, by its name in Orthanc's configuration file."""
        ...

    def change(self, name: str, value: Any) -> None:
        """Change an option until the next start of the server (``PUT /tools/default-encoding`` …)."""
        ...
