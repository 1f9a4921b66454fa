"""The leases of servers: no schedule gives a job two owners, and without the fence some do."""

from __future__ import annotations

import random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.jobs.shared.lease_model import DoubleOwner, Model, without_fence

CHOICES = 16 * 3 * 12
SCHEDULES = st.lists(st.integers(0, CHOICES - 1), min_size=20, max_size=120)


def check(schedule: list[int]) -> None:
    model = Model()
    model.follow(schedule)
    model.settle()


@examples(300)
@given(SCHEDULES)
def test_no_job_has_two_owners(schedule: list[int]) -> None:
    """Whatever arrives late, and whoever is stopped; and no job is left behind."""
    check(schedule)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=10_000, deadline=None)
@given(st.integers(0, 2**64))
def test_no_job_has_two_owners_in_many_schedules(seed: int) -> None:
    choices = random.Random(seed)
    check([choices.randrange(CHOICES) for _ in range(choices.randrange(20, 200))])


def test_the_checker_finds_what_the_fence_prevents() -> None:
    """A server that was stopped, and writes for a job that went on elsewhere."""

    @settings(max_examples=5_000, database=None, phases=[Phase.generate], report_multiple_bugs=False)
    @given(SCHEDULES)
    def unfenced(schedule: list[int]) -> None:
        Model(write=without_fence).follow(schedule)

    with pytest.raises(DoubleOwner):
        unfenced()
