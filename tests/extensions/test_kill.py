"""kill -9 in the middle of steps: the job goes on, and only the step that was in progress is done again."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

import orthanc_lab
from tests.extensions.conftest import Asking
from tests.waiting import until

STEPS = 60


def test_a_job_goes_on_after_kill_9(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    kills = 12 if pytestconfig.getoption("--long") else 2
    seed = random.randrange(10**6)
    draw = random.Random(seed)
    lines = tmp_path / "lines"
    lines.touch()
    reference = f"{Path(__file__).with_name('kinds.py')}"
    with orthanc_lab.serve(process=True, extensions=[reference], DicomServerEnabled=False) as server:
        id = Asking(server).submit("/extensions/Lines", File=str(lines), To=STEPS, Pause=0.005)
        for kill in range(kills):
            share = (kill + draw.random()) * STEPS * 0.8 / kills
            until(lambda share=share: len(lines.read_text().split()) > share, seconds=60)  # type: ignore[misc] # a number
            server.kill()
            server.restart()
        asking = Asking(server)
        asking.client.jobs[id].wait(timeout=60)
        done = [int(line) for line in lines.read_text().split()]
        assert sorted(set(done)) == list(range(STEPS)), f"a step was left out (seed {seed})"
        again = [after for before, after in pairwise(done) if after != before + 1]
        assert all(done.count(number) <= 1 + kills for number in done)
        assert len(again) <= kills, f"more was done again than the steps in progress (seed {seed})"
        assert [b - a for a, b in pairwise(done) if b != a + 1] == [0] * len(again)
        assert asking.ask("GET", f"/jobs/{id}/first").text == "made by the first step"
        assert len(list((server.folder / "jobs-outputs").iterdir())) == 1
