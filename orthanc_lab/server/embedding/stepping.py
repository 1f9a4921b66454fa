"""Letting the tasks of a seeded executor go on until something is so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orthanc_lab.protocol.seeded import SeededExecutor

__all__ = ["Goal", "run_until"]

Goal = Callable[[], object] | float | datetime
"""A condition; a time of the clock in seconds; a time of day."""

_MOST_STEPS = 1_000_000  # without the end of a step that never waits, a test would never end


def run_until(executor: SeededExecutor, goal: Goal, patience: float) -> None:
    """Let tasks go on, and time pass where none can, until a condition holds or a time has come.

    Raises
    ------
    TimeoutError
        If `patience` seconds of the clock, or a million steps, have not been enough.
    RuntimeError
        If nothing is left that could go on.
    """
    if not callable(goal):
        _run_until_time(executor, goal)
        return
    clock = executor.clock
    end = clock.monotonic() + patience
    for _ in range(_MOST_STEPS):
        if goal():
            return
        if executor.turn():
            continue
        due = executor.next_due()
        if due is None:
            raise RuntimeError("Nothing goes on any more, and the condition does not hold")
        if due > end:
            raise TimeoutError(f"The condition does not hold after {patience:g} s of the server's clock")
        clock.advance(due - clock.monotonic())
    raise TimeoutError(f"The condition does not hold after {_MOST_STEPS:,} steps")


def _run_until_time(executor: SeededExecutor, goal: float | datetime) -> None:
    clock = executor.clock
    end = clock.monotonic() + (goal - clock.now()).total_seconds() if isinstance(goal, datetime) else goal
    for _ in range(_MOST_STEPS):
        if executor.turn():
            continue
        due = executor.next_due()
        if due is None or due > end:
            clock.advance(max(end - clock.monotonic(), 0))
            return
        clock.advance(due - clock.monotonic())
    raise TimeoutError(f"The tasks still go on after {_MOST_STEPS:,} steps: one of them never waits")
