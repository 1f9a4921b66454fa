"""Faults that a `DicomNode` has when it is told to."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

__all__ = ["SERVICES", "Action", "Fault", "Faults", "Moment"]

SERVICES = ("C-ECHO", "C-STORE", "C-FIND", "C-MOVE", "C-GET", "N-ACTION")
"""The services of a node."""

Action = Literal["status", "abort", "disconnect", "delay", "lose"]
Moment = Literal["before", "during", "after"]
"""Before the response, in the middle of the message or of its sub-operations, or after the response."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and which messages it hits."""

    action: Action
    service: str  # one of SERVICES
    after: int  # number of messages of the service that it spares
    times: int | None  # number of messages that it hits then; None for all
    when: Moment = "before"
    status: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.service not in SERVICES:
            raise ValueError(f"A node has no service {self.service!r}; it has {', '.join(SERVICES)}")

    def hits(self, number: int) -> bool:
        """Whether it hits the message with this number, counted from 0."""
        return number >= self.after and (self.times is None or number < self.after + self.times)


class Faults:
    """The faults that are in force; threads share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Fault, int] = {}

    def add(self, fault: Fault) -> None:
        """Put a fault in force; it counts messages from now on."""
        with self._lock:
            self._counts[fault] = 0

    def clear(self) -> None:
        """Withdraw all faults."""
        with self._lock:
            self._counts.clear()

    def next(self, service: str) -> tuple[Fault, ...]:
        """Count one message, and return the faults that hit it."""
        with self._lock:
            counts = {fault: count for fault, count in self._counts.items() if fault.service == service}
            self._counts.update({fault: count + 1 for fault, count in counts.items()})
            return tuple(fault for fault, count in counts.items() if fault.hits(count))
