"""A seed decides the same in every process: the events of a thousand saved ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.testing.schedules.saved_seeds import SEEDS, digests, saved


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> int:
    """How many are run again."""
    return SEEDS if request.config.getoption("--long") else 100


def test_they_are_different() -> None:
    assert len(saved(SEEDS)) == SEEDS
    assert len(set(saved(SEEDS))) > SEEDS * 0.99


def test_they_decide_the_same_again(seeds: int) -> None:
    assert digests(seeds) == saved(seeds)


@pytest.mark.parametrize("hash_seed", ["0", pytest.param("4294967295", marks=pytest.mark.long)])
def test_they_decide_the_same_in_another_process(seeds: int, hash_seed: str) -> None:
    command = [sys.executable, "-m", "tests.testing.schedules.saved_seeds", str(seeds)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.split() == saved(seeds)
