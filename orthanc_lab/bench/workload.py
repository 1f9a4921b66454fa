"""What a workload is: requests that are prepared outside the measured time, once for both servers, then run on each.

Its cost is the wall time of all its operations, unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Cost", "Run", "Workload"]

Run = Callable[[int], int]
"""Runs the prepared operations on the server at a port; returns how many there were."""


class Cost(Enum):
    """What is measured of a workload."""

    TIME = "the time of its operations"
    START = "the time of a restart of the server after them"
    MEMORY = "the resident memory of the server after them"


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of work."""

    name: str
    target: float  # ratio to reach: cost of the other server / our cost
    prepare: Callable[[], Run]  # called before each round
    setup: Callable[[int], None] = lambda port: None  # called once for each server
    options: dict[str, Any] = field(default_factory=dict)  # options of the configuration
    cost: Cost = Cost.TIME
    needs_peer: bool = False  # whether there is a third server, of ours, that both know as `PEER`
    before: Callable[[int], None] = lambda port: None  # called before each run, and not measured
