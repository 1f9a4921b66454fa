"""Who did the steps of the jobs of `tests.cluster.counting`: never two servers at a time, none after a later one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

__all__ = ["Freeze", "check_steps", "owners"]


@dataclass(frozen=True)
class Freeze:
    """A time in which a process did nothing."""

    pid: int
    begin: float  # monotonic
    end: float


@dataclass(frozen=True)
class _Step:
    step: int
    pid: int
    begin: float
    end: float | None  # None: the process was killed in the middle


def check_steps(log: Path, freezes: Iterable[Freeze] = ()) -> None:
    """Compare the steps of each job: in order, and one after the other.

    Only a step during which its process was frozen may overlap with those of the server that has taken over.
    """
    freezes = list(freezes)
    for key, steps in _steps(log).items():
        normal = [step for step in steps if not any(_was_frozen(step, freeze) for freeze in freezes)]
        for earlier, later in pairwise(normal):
            assert earlier.step <= later.step, f"{key}: {later} after {earlier}"
            assert earlier.end is None or earlier.end <= later.begin, f"{key}: {later} during {earlier}"
            assert earlier.step + 1 >= later.step or len(normal) < len(steps), f"{key}: {earlier}, then {later}"


def owners(log: Path) -> dict[str, list[int]]:
    """Return for each job the processes that did its steps, in order."""
    found: dict[str, list[int]] = {}
    for key, steps in _steps(log).items():
        pids = [step.pid for step in steps]
        found[key] = [pid for pid, before in zip(pids, [0, *pids], strict=False) if pid != before]
    return found


def _was_frozen(step: _Step, freeze: Freeze) -> bool:
    # A process may also have been frozen when it was just about to begin.
    ended = step.end if step.end is not None else step.begin
    return step.pid == freeze.pid and step.begin <= freeze.end + 0.5 and ended >= freeze.begin


def _steps(log: Path) -> dict[str, list[_Step]]:
    begun: dict[tuple[str, int, int], float] = {}
    steps: dict[str, list[_Step]] = defaultdict(list)
    for line in log.read_text("utf-8").splitlines():
        note = json.loads(line)
        key = note["key"], note["step"], note["pid"]
        if note["what"] == "begin":
            begun[key] = note["at"]
        else:
            steps[note["key"]].append(_Step(note["step"], note["pid"], begun.pop(key), note["at"]))
    for (key, step, pid), at in begun.items():
        steps[key].append(_Step(step, pid, at, None))
    return {key: sorted(found, key=lambda step: step.begin) for key, found in steps.items()}
