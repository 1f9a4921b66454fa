"""The budget of memory that is being unpacked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.protocol.ports import ManualClock
from tests.waiting import until


def test_it_is_given_back() -> None:
    budget = MemoryBudget(100, patience=0)
    with budget.reserve(40) as reservation:
        reservation.add(60)
        assert budget.used == 100
        with pytest.raises(OrthancError) as refused:
            budget.reserve(1)
        assert (refused.value.code, refused.value.status) == (4, 503)
    assert budget.used == 0


def test_it_is_given_back_with_its_owner() -> None:
    budget = MemoryBudget(100, patience=0)
    reservation = budget.reserve(70)
    del reservation
    assert budget.used == 0


def test_what_is_larger_than_all_is_let_in_alone() -> None:
    budget = MemoryBudget(100, patience=0)
    with budget.reserve(10_000) as reservation:
        reservation.add(10_000)
        assert budget.used == 100
    with budget.reserve(1), pytest.raises(OrthancError):
        budget.reserve(10_000)
    assert budget.used == 0


def test_others_wait_until_there_is_room() -> None:
    budget = MemoryBudget(100, ManualClock())
    entered = threading.Event()

    def reserve() -> None:
        entered.set()
        with budget.reserve(60):
            pass

    with ThreadPoolExecutor(1) as pool:
        first = budget.reserve(50)
        waiting = pool.submit(reserve)
        entered.wait()
        assert not waiting.done()
        first.release()
        waiting.result(20)
    assert budget.used == 0


def test_they_wait_for_a_few_seconds_of_the_clock() -> None:
    clock = ManualClock()
    budget = MemoryBudget(100, clock, patience=5)
    with ThreadPoolExecutor(1) as pool, budget.reserve(50):
        waiting = pool.submit(budget.reserve, 60)
        until(lambda: clock.advance(5) or waiting.done())
        assert isinstance(waiting.exception(), OrthancError)
    assert budget.used == 0


def test_more_for_a_moment_is_given_back_at_its_end() -> None:
    budget = MemoryBudget(100, patience=0)
    with budget.reserve(60) as own:
        for _ in range(3):  # one after the other: they do not add up
            with own.more(30):
                assert budget.used == 90
            assert budget.used == 60
        with own.more(1000):  # who is alone gets no more than all
            assert budget.used == 100
        with pytest.raises(ValueError, match="x"), own.more(30):
            raise ValueError("x")
        assert budget.used == 60
    assert budget.used == 0


def test_many_threads() -> None:
    budget = MemoryBudget(100)
    most: list[int] = []

    def reserve(size: int) -> None:
        with budget.reserve(size):
            most.append(budget.used)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reserve, [size % 70 for size in range(2000)]))
    assert max(most) <= 100
    assert budget.used == 0


def test_no_limit() -> None:
    with UNLIMITED.reserve(1 << 60):
        assert UNLIMITED.used == 0
