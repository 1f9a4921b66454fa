"""Tasks on threads, and without any."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime

import pytest

from orthanc_lab.protocol.execution import Executor, Steps
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.protocol.threads import ThreadExecutor
from tests.waiting import until

CLOCK = ManualClock()
ON_BEHALF_OF: ContextVar[str] = ContextVar("on_behalf_of", default="nobody")


def settle(executor: Executor, condition: Callable[[], bool]) -> None:
    if isinstance(executor, InlineExecutor):
        executor.run()
        assert condition()
    else:
        until(condition)


@pytest.fixture(params=[ThreadExecutor, InlineExecutor])
def executor(request: pytest.FixtureRequest) -> Executor:
    return request.param(CLOCK)  # type: ignore[no-any-return] # one of the two


def test_a_task_waits_for_its_time(executor: Executor) -> None:
    seen: list[str] = []

    def steps() -> Steps:
        seen.append("begin")
        yield 0
        yield 10
        seen.append("end")

    task = executor.spawn("waiting", steps())
    settle(executor, lambda: seen == ["begin"])
    CLOCK.advance(9)
    assert seen == ["begin"]
    CLOCK.advance(1)
    settle(executor, lambda: seen == ["begin", "end"])
    assert task.join(10)


def test_a_task_is_woken(executor: Executor) -> None:
    seen: list[int] = []

    def steps() -> Steps:
        while len(seen) < 3:
            seen.append(len(seen))
            yield None

    task = executor.spawn("woken", steps())
    for count in (1, 2, 3):
        settle(executor, lambda count=count: len(seen) == count)  # type: ignore[misc] # bound now
        task.wake()
    assert task.join(10)


def test_a_caller_waits_for_a_task(executor: Executor) -> None:
    done = executor.happening()

    def steps() -> Steps:
        yield 0
        done.set()

    executor.spawn("working", steps())
    done.wait()
    assert done.is_set()


def test_a_task_waits_for_another_one() -> None:
    """Inside a step, without threads: the other one goes on meanwhile."""
    executor = InlineExecutor(CLOCK)
    seen: list[str] = []
    inner = executor.happening()

    def waiting() -> Steps:
        inner.wait()
        seen.append("waited")
        yield 0

    def other() -> Steps:
        yield 0
        seen.append("other")
        inner.set()

    executor.spawn("waiting", waiting())
    executor.spawn("other", other())
    executor.run()
    assert seen == ["other", "waited"]


def test_a_wait_that_cannot_end_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="Nothing is left"):
        InlineExecutor(CLOCK).happening().wait()


def test_an_error_of_a_task_ends_it() -> None:
    executor = InlineExecutor(CLOCK)

    def steps() -> Steps:
        yield 0
        raise KeyError("oops")

    task = executor.spawn("failing", steps())
    with pytest.raises(KeyError):
        executor.run()
    assert task.join(0)
    assert not executor.turn()


def test_a_pool_does_its_work(executor: Executor) -> None:
    pool = executor.pool("work", 2)
    futures = [pool.submit(divmod, 7, divisor) for divisor in (2, 0)]
    assert futures[0].result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        futures[1].result()
    pool.shutdown()


def test_a_clock_needs_a_time_zone():
    with pytest.raises(ValueError, match=r"needs a time zone: datetime\(2026, 1, 1, tzinfo=UTC\)"):
        ManualClock(datetime(2026, 1, 1))


def test_a_pool_works_on_behalf_of_the_caller(executor: Executor) -> None:
    """What the caller has noted of itself holds for its work, also on another thread; not for that of others."""
    pool = executor.pool("working", 1)

    def work() -> str:
        before = ON_BEHALF_OF.get()
        ON_BEHALF_OF.set("the work")
        return before

    token = ON_BEHALF_OF.set("a caller")
    assert pool.submit(work).result(10) == "a caller"
    ON_BEHALF_OF.reset(token)
    assert pool.submit(work).result(10) == "nobody"
    assert ON_BEHALF_OF.get() == "nobody"
    pool.shutdown()


def test_what_a_task_notes_of_itself_is_its_own(executor: Executor) -> None:
    seen: list[str] = []

    def steps(name: str) -> Steps:
        ON_BEHALF_OF.set(name)
        yield 0
        seen.append(f"{name}: {ON_BEHALF_OF.get()}")

    tasks = [executor.spawn(name, steps(name)) for name in ("a", "b")]
    settle(executor, lambda: sorted(seen) == ["a: a", "b: b"])
    assert all(task.join(10) for task in tasks)
    assert ON_BEHALF_OF.get() == "nobody"
