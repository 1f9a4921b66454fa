"""Schedules from seeds: steps, commands and crashes in any order; no step is lost, and only one a crash is repeated."""

from __future__ import annotations

import random
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.extensions import Job, StopReason
from tests.extensions.conftest import Asking

STEPS = 6


class Diary(Job):
    """Notes each call of it."""

    notes: list[str]

    def start(self) -> None:
        self.notes.append("start")

    def step(self) -> bool:
        done: int = self.state.get("done", 0)
        self.notes.append(f"step {done}")
        self.state["done"] = done + 1
        self.progress = self.state["done"] / STEPS
        return self.state["done"] < STEPS

    def stop(self, reason: StopReason) -> None:
        self.notes.append(reason.value)


def test_no_schedule_loses_a_step(pytestconfig: pytest.Config) -> None:
    for seed in range(300 if pytestconfig.getoption("--long") else 10):
        follow(seed)


def follow(seed: int) -> None:
    draw, notes, crashes = random.Random(seed), [], 0
    kind = type("Diary", (Diary,), {"notes": notes})
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(seed), extensions=[kind], SaveJobs=True) as server:
        asking = Asking(server)
        id = asking.submit("/extensions/Diary")
        for _ in range(8):
            for _ in range(draw.randrange(6)):
                server.step()
            event = draw.choice(("pause", "resume", "crash", "nothing"))
            if event == "crash":
                crashes += 1
                server.crash()
            elif event != "nothing":
                asking.command(id, event)
        server.run_until(lambda: goes_on(asking, id))
        server.run_until(lambda: notes[-1] == "success")
        steps = [note for note in notes if note.startswith("step")]
        assert sorted(set(steps)) == [f"step {number}" for number in range(STEPS)], (seed, notes)
        assert len(steps) <= STEPS + crashes, (seed, notes)
        assert server.errors == []


def goes_on(asking: Asking, id: str) -> Any:
    """Let a job go on that is paused; return whether it has succeeded."""
    state = asking.job(id)["State"]
    if state == "Paused":
        asking.command(id, "resume")
    return state == "Success"
