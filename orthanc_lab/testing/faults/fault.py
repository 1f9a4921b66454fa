"""A fault that is switched on: its trigger, and how often it has happened."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import TracebackType

from orthanc_lab.testing.faults.kind import FaultKind

__all__ = ["Fault", "FaultNeverHappened", "Trigger"]


class FaultNeverHappened(AssertionError):
    """A fault was switched on and off again, and has never happened: what was to be tested was not.

    Examples
    --------
    >>> with faults.on("index locked"):
    ...     client.system["ApiVersion"]
    Traceback (most recent call last):
    orthanc_lab.testing.faults.fault.FaultNeverHappened: The fault 'index locked' has never happened: there were no ...
    """


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a fault happens.

    Raises
    ------
    TypeError, ValueError
        For what is no number, or no pattern; for a number out of range.
    """

    nth: int = 1  # the first occasion on which it may happen, counted from 1
    times: float = 1  # how often it happens; math.inf for no limit
    probability: float = 1.0  # on each occasion from the nth on, drawn from the seed
    at_byte: int | None = None  # None: where the kind finds it typical
    at_step: int = 0  # of a job: after so many steps
    seconds: float = 0.0
    where: tuple[str, ...] = ("*",)  # patterns: "POST /instances", "GET /jobs/*"

    def __post_init__(self) -> None:
        # Else the fault would fail where it happens: inside the server, and not where it was switched on.
        for name in ("nth", "at_byte", "at_step"):
            value = getattr(self, name)
            if not isinstance(value, int) and not (value is None and name == "at_byte"):
                raise TypeError(f"{name} must be a whole number, not {value!r:.80}")
        for name in ("times", "probability", "seconds"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)):
                raise TypeError(f"{name} must be a number, not {value!r:.80}")
        if not all(isinstance(pattern, str) for pattern in self.where):
            raise TypeError(f'where must be patterns such as "GET /jobs/*", not {self.where!r:.80}')
        if math.isnan(self.times) or not math.isfinite(self.seconds):
            raise ValueError("times must not be NaN, and seconds must be finite")
        if self.nth < 1 or self.times < 1:
            raise ValueError("nth and times count from 1")
        if not 0 < self.probability <= 1:
            raise ValueError(f"A probability is above 0 and at most 1, not {self.probability:g}")
        if min(self.at_byte or 0, self.at_step, self.seconds) < 0:
            raise ValueError("at_byte, at_step and seconds must not be negative")

    def concerns(self, occasion: str) -> bool:
        """Whether an occasion is one that counts."""
        return any(fnmatchcase(occasion, pattern) for pattern in self.where)


class Fault:
    """A fault that is switched on, until `off`; as a context manager, until the end of the block.

    The end of the block fails if the fault has never happened: a test that passed without it proves nothing.

    Parameters
    ----------
    draw
        Returns the numbers by which a probability is decided.
    switch_off
        Called with the fault by `off`.
    optional
        Whether the end of the block lets it pass that the fault never happened.

    Attributes
    ----------
    kind
        What happens, and what a good client does about it.
    trigger
        When it happens.

    Examples
    --------
    >>> fault = faults.on("503 without Retry-After", where="GET /system", nth=2, times=1)
    >>> [client.system["ApiVersion"] for _ in range(3)]
    [27, 27, 27]
    >>> fault.happened, fault.occasions, fault.is_on
    (1, 4, False)
    >>> fault.off()
    """

    def __init__(
        self,
        kind: FaultKind,
        trigger: Trigger,
        draw: random.Random,
        switch_off: Callable[[Fault], None],
        *,
        optional: bool = False,
    ) -> None:
        self.kind = kind
        self.trigger = trigger
        self._optional = optional
        self._draw = draw
        self._switch_off = switch_off
        self._lock = threading.Lock()
        self._is_off = threading.Event()
        self._wakes: list[Callable[[], None]] = []
        self._happened = 0
        self._occasions = 0
        self._bytes = 0
        self._memory: int | None = None

    # -- for tests -------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.kind.name

    @property
    def happened(self) -> int:
        """How often it has happened."""
        return self._happened

    @property
    def occasions(self) -> int:
        """How many occasions there were, on which it could have happened."""
        return self._occasions

    @property
    def is_on(self) -> bool:
        """Whether it may still happen."""
        return not self._is_off.is_set() and self._happened < self.trigger.times

    @property
    def is_held(self) -> bool:
        """Whether it has happened, and was not switched off."""
        return self._happened > 0 and not self._is_off.is_set()

    def off(self) -> None:
        """Switch it off; what it holds up goes on at once."""
        self._is_off.set()
        with self._lock:
            wakes, self._wakes = self._wakes, []
        for wake in wakes:
            wake()
        self._switch_off(self)

    def check(self) -> None:
        """Do nothing if it has happened, or was optional.

        Raises
        ------
        FaultNeverHappened
            Otherwise.
        """
        if self._happened == 0 and not self._optional:
            raise FaultNeverHappened(f"The fault {self.name!r} has never happened: {_why(self)}")

    def __enter__(self) -> Fault:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.off()
        if error is None:
            self.check()

    def __repr__(self) -> str:
        often = {0: "never happened", 1: "happened once"}.get(self._happened, f"happened {self._happened} times")
        return f"<Fault {self.name!r}: {often}, {'on' if self.is_on else 'off'}>"

    # -- for what wraps the server ---------------------------------------------------

    def happens(self, occasion: str = "") -> bool:
        """Count an occasion, and return whether the fault happens on it."""
        trigger = self.trigger
        if not trigger.concerns(occasion):
            return False
        with self._lock:
            self._occasions += 1
            if self._occasions < trigger.nth or self._happened >= trigger.times or self._is_off.is_set():
                return False
            if trigger.probability < 1 and self._draw.random() >= trigger.probability:
                return False
            self._happened += 1
            return True

    def is_beyond(self, size: int) -> bool:
        """Count bytes, and return whether `at_byte` of them are exceeded, so that the fault happens."""
        with self._lock:
            if self._bytes + size <= (self.trigger.at_byte or 0):
                self._bytes += size
                return False
        return self.happens()

    def remember(self, look: Callable[[], int]) -> int:
        """Return the number that `look` returned when this was asked for the first time."""
        with self._lock:
            if self._memory is None:
                self._memory = look()
            return self._memory

    def pause(self, seconds: float | None = None) -> None:
        """Wait for the seconds of the trigger (or others), or until the fault is switched off."""
        self._is_off.wait(self.trigger.seconds if seconds is None else seconds)

    def when_off(self, wake: Callable[[], None]) -> None:
        """Call `wake` once the fault is switched off."""
        with self._lock:
            if not self._is_off.is_set():
                self._wakes.append(wake)
                return
        wake()


def _why(fault: Fault) -> str:
    counted: Sequence[str] = fault.trigger.where
    what = fault.kind.occasions + ("" if "*" in counted else f" of {', '.join(counted)}")
    if fault.occasions == 0:
        return f"there were no {what}"
    limit = "" if fault.trigger.probability < 1 else f", and it was to begin with number {fault.trigger.nth}"
    return f"there were {fault.occasions} {what}{limit}"
