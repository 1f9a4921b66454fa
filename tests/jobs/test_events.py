"""The log of events: what is in it, in which order, and what it costs."""

from __future__ import annotations

import threading
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.machine import Event
from orthanc_lab.jobs.ports import NotReady
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.job_events import Cause, Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock, SeededIdentifiers, SystemIdentifiers
from tests.jobs.conftest import Engines, wait_for_state
from tests.jobs.doubles import DEADLINE, CountingJob, FailingJob, GatedJob
from tests.waiting import until


class Inline:
    """An engine whose workers go on when the test lets them."""

    def __init__(self, engines: Engines, **options: Any) -> None:
        self.clock = ManualClock()
        self.executor = InlineExecutor(self.clock)
        self.engine = engines(clock=self.clock, executor=self.executor, **options)

    def run(self, job: Any, priority: int = 0) -> str:
        id = self.engine.submit(job, priority)
        self.executor.run()
        return id

    def told(self, id: str | None = None) -> list[str]:
        return [told(event) for event in self.engine.events.since(job=id)]


@pytest.fixture
def inline(engines: Engines) -> Inline:
    return Inline(engines)


def told(event: JobEvent) -> str:
    before, after = (state.value if state else "-" for state in (event.before, event.after))
    words = before if before == after else f"{before}>{after}"
    return f"{event.event.value} {words} {event.cause.value} {event.worker} {event.step} {event.progress}"


def test_a_life(inline: Inline) -> None:
    id = inline.run(CountingJob(2), 3)
    assert inline.told() == [
        "Submitted ->Pending Client None 0 0",
        "Picked Pending>Running Worker 1 0 0",
        "Stepped Running Worker 1 1 50",
        "Finished Running>Success Worker 1 2 100",
    ]
    events = inline.engine.events.of(id)
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert {(event.job, event.kind, event.priority, event.at) for event in events} == {
        (id, "Counting", 3, datetime(2026, 1, 1, tzinfo=UTC))
    }
    inline.engine.delete(id)
    assert inline.told()[-1] == "Delete Success>- Client None 2 100"


def test_a_failure_a_second_try_and_a_cancellation(inline: Inline) -> None:
    id = inline.run(FailingJob(at=1))
    assert inline.told()[-1] == "Failed Running>Failure Worker 1 2 33"
    assert inline.engine.events.since()[-1].error_code == 9
    inline.engine.resubmit(id)
    inline.engine.pause(id)
    inline.engine.pause(id)  # nothing happens
    inline.engine.cancel(id)
    assert inline.told()[-3:] == [
        "Resubmit Failure>Pending Client None 0 33",
        "Pause Pending>Paused Client None 0 33",
        "Cancel Paused>Failure Client None 0 33",
    ]
    assert not inline.engine.resume(id)
    assert inline.engine.events.last == inline.engine.events.since()[-1].sequence == 7


def test_a_command_to_a_running_job_moves_it_after_its_step(engine: JobsEngine) -> None:
    job = GatedJob()
    id = engine.submit(job)
    job.wait_until_in_step()
    engine.pause(id)
    job.let_through()
    wait_for_state(engine, id, JobState.PAUSED)
    assert [told(event) for event in engine.events.of(id)[-2:]] == [
        "Pause Running Client 1 0 0",
        "Stepped Running>Paused Client 1 1 33",
    ]


def test_looking_again_is_one_event(inline: Inline) -> None:
    class Waiting(CountingJob):
        looks = 5

        def step(self) -> Any:
            self.looks -= 1
            return NotReady(0, lambda wake: None) if self.looks else super().step()

    inline.run(Waiting(1))
    assert inline.told()[2:] == ["Waited Running Worker 1 0 0", "Finished Running>Success Worker 1 1 100"]


def test_the_oldest_leave_the_history_and_the_log(engines: Engines) -> None:
    inline = Inline(engines, history_size=1, events_size=5)
    first, second = inline.run(CountingJob()), inline.run(CountingJob())
    assert inline.told()[-2:] == ["Finished Running>Success Worker 1 1 100", "Dropped Success>- History None 1 100"]
    log = inline.engine.events
    assert (log.limit, log.last) == (5, 7)
    assert [(event.sequence, event.job) for event in log.since()] == [
        (3, first),
        *((n, second) for n in (4, 5, 6)),
        (7, first),
    ]
    assert [event.sequence for event in log.since(4, 2)] == [5, 6]
    assert log.since(7) == log.since(10**30) == log.since(0, 0) == []


@pytest.mark.parametrize("jobs", [1, 2, 3, 4, 7])
def test_any_part_of_the_ring(engines: Engines, jobs: int) -> None:
    inline = Inline(engines, events_size=7, history_size=100)
    log = inline.engine.events
    seen: list[JobEvent] = []
    for _ in range(jobs):
        inline.run(CountingJob())
        seen += log.since(len(seen))
    kept = seen[-7:]
    for since in range(-1, len(seen) + 2):
        after = [event for event in kept if event.sequence > since]
        assert log.since(since) == after
        for limit in range(5):
            assert log.since(since, limit) == after[:limit]
            mine = [event for event in after if event.job == seen[-1].job]
            assert log.since(since, limit, job=seen[-1].job) == mine[:limit]
    assert log.first == (kept[0].sequence if kept else 0)


def test_no_log(engines: Engines) -> None:
    inline = Inline(engines, events_size=0)
    inline.run(CountingJob())
    assert inline.engine.events.since() == []
    with pytest.raises(OrthancError):
        engines(events_size=-1)


def test_a_restart_is_the_beginning_of_the_log(engines: Engines) -> None:
    inline = Inline(engines)
    done, paused = inline.run(CountingJob(2)), inline.engine.submit(CountingJob(2))
    inline.engine.pause(paused)
    running = GatedJob()
    inline.engine.submit(running)
    inline.engine = engines.restarted(start=False, clock=inline.clock, executor=inline.executor)
    assert sorted(inline.told()) == [
        "Restored Paused Restart None 0 0",
        "Restored Pending Restart None 0 0",
        "Restored Success Restart None 0 100",
    ]
    assert inline.engine.events.of(done)[0].sequence == 1


def test_the_end_of_the_engine_interrupts(engines: Engines) -> None:
    engine = engines()
    job = GatedJob()
    id = engine.submit(job)
    job.wait_until_in_step()
    stop = threading.Thread(target=engine.stop)
    stop.start()
    until(lambda: engine.stopping)
    job.let_through()
    stop.join(DEADLINE)
    last = engine.events.of(id)[-1]
    assert (last.event, last.cause, last.after) == (Happened.INTERRUPTED, Cause.STOP, JobState.RUNNING)


def test_the_same_schedule_has_the_same_digest(engines: Engines) -> None:
    def digest(*jobs: CountingJob, identifiers: Any = None, seconds: float = 1) -> str:
        inline = Inline(engines, database=False, identifiers=identifiers or SystemIdentifiers())
        for job in jobs:
            inline.clock.advance(seconds)
            inline.run(job)
        return inline.engine.events.digest()

    once = digest(CountingJob(3), FailingJob())
    assert digest(CountingJob(3), FailingJob(), identifiers=SeededIdentifiers(1), seconds=5) == once
    assert len({once, digest(FailingJob(), CountingJob(3)), digest(CountingJob(3)), digest(CountingJob(4))}) == 4


def test_the_log_has_the_moves_of_each_job_in_their_order(engines: Engines) -> None:
    engine = engines(concurrent_jobs=4, history_size=1000)
    ids: list[str] = []

    def submit() -> None:
        for _ in range(25):
            ids.append(engine.submit(CountingJob(3)))
            engine.pause(ids[-1])
            engine.resume(ids[-1])

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    until(lambda: engine.counts()[JobState.SUCCESS] + engine.counts()[JobState.PAUSED] == 100)
    events = engine.events.since()
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    for id in ids:
        states: JobState | None = None
        for event in (event for event in events if event.job == id):
            assert event.before is states, told(event)
            states = event.after
        view = engine.get(id)
        assert view is not None
        assert states is view.state


def test_whoever_sees_the_end_of_a_job_finds_it_in_the_log(engine: JobsEngine) -> None:
    for _ in range(20):
        id = engine.submit(CountingJob())
        wait_for_state(engine, id, JobState.SUCCESS)
        assert engine.events.of(id)[-1].after is JobState.SUCCESS


def test_numbers_that_no_client_can_send(inline: Inline) -> None:
    inline.run(CountingJob(), 10**15)
    assert inline.engine.events.since()[0].priority == 2**31 - 1


def test_an_event_takes_less_than_200_bytes(engines: Engines) -> None:
    inline = Inline(engines, history_size=0, events_size=3_000, database=False)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        while inline.engine.events.last < 3_000:
            inline.run(CountingJob(1))
        size = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert size / 3_000 < 200


def test_every_event_of_the_machine_has_a_name() -> None:
    assert {event.name for event in Event} | {"SUBMITTED", "INTERRUPTED", "DROPPED", "LOST", "TAKEN_OVER"} == {
        event.name for event in Happened
    }


def test_events_are_values(inline: Inline) -> None:
    inline.run(CountingJob())
    first = inline.engine.events.since()[0]
    assert first == inline.engine.events.since()[0] != replace(first, step=7)
