"""Holding back during a burst of submissions: for a moment, and never for an item that stands alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.protocol.submit_burst import SubmitBurst


def test_one_job_alone_is_not_kept_waiting() -> None:
    burst = SubmitBurst()
    assert burst.delay(5.0) == 0
    for now in (10.0, 10.1, 10.2):
        burst.arrive(now, awaited=False)
        assert burst.delay(now) == 0


def test_a_burst_ends_when_it_is_quiet() -> None:
    burst = SubmitBurst()
    burst.arrive(10.0, awaited=False)
    burst.arrive(10.001, awaited=False)
    assert burst.delay(10.001) == pytest.approx(0.001)
    burst.arrive(10.0015, awaited=False)
    assert burst.delay(10.002) == pytest.approx(0.0005)
    assert burst.delay(10.0026) == 0


def test_a_job_that_a_caller_waits_for_ends_it() -> None:
    burst = SubmitBurst()
    for now in (10.0, 10.0001, 10.0002):
        burst.arrive(now, awaited=False)
    burst.arrive(10.0003, awaited=True)
    assert burst.delay(10.0003) == 0


def test_a_flood_is_not_waited_for() -> None:
    burst = SubmitBurst()
    now, waited = 10.0, 0.0
    for _ in range(5000):
        now += 0.0001
        burst.arrive(now, awaited=False)
        waited += 0.0001 if burst.delay(now) else 0.0
    assert 0.2 < waited <= 0.26  # and from then on the workers work
    burst.drained()
    burst.arrive(now, awaited=False)
    assert burst.delay(now) > 0


@given(st.lists(st.tuples(st.floats(0, 0.01), st.booleans()), max_size=60))
def test_the_delay_is_always_short(arrivals: list[tuple[float, bool]]) -> None:
    burst, now = SubmitBurst(), 1.0
    for gap, awaited in arrivals:
        now += gap
        burst.arrive(now, awaited=awaited)
        assert 0 <= burst.delay(now) <= 0.001 + 1e-9
        assert burst.delay(now + 0.0011) == 0
