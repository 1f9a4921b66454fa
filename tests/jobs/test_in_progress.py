"""A step that goes on elsewhere: who waits for it, and for how long."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import InProgress
from orthanc_lab.protocol.jobs import JobState
from tests.jobs.conftest import Engines, wait_for_state
from tests.jobs.doubles import DEADLINE, CountingJob
from tests.waiting import until


class ElsewhereJob(CountingJob):
    """Its steps are done by the test."""

    type = "Elsewhere"

    def __init__(self, steps: int = 2) -> None:
        super().__init__(steps)
        self.result: Future[None] | None = None
        self.asked = threading.Semaphore(0)

    def step(self) -> bool | InProgress:  # type: ignore[override] # more than a bool
        if self.result is None:
            self.result = Future()
        if not self.result.done():
            result = self.result
            self.asked.release()
            return InProgress(60, lambda wake: result.add_done_callback(lambda _: wake()))
        self.result = None
        return super().step()

    def finish(self) -> None:
        until(lambda: self.result is not None)
        assert self.result is not None
        self.result.set_result(None)

    def wait_until_asked(self) -> None:
        assert self.asked.acquire(timeout=DEADLINE)


@pytest.fixture
def job(engine: JobsEngine) -> ElsewhereJob:
    return ElsewhereJob()


def test_it_is_one_step_however_often_it_is_asked_for(engine: JobsEngine, job: ElsewhereJob) -> None:
    id = engine.submit(job)
    for _ in range(2):
        job.wait_until_asked()
        job.finish()
    wait_for_state(engine, id, JobState.SUCCESS)
    assert job.calls == ["start", "step", "step", "success"]
    events = [event.event for event in engine.events.of(id)]
    assert [str(event.value) for event in events].count("Stepped") == 1


def test_a_pause_waits_for_it(engine: JobsEngine, job: ElsewhereJob) -> None:
    id = engine.submit(job)
    job.wait_until_asked()
    assert engine.pause(id)
    job.wait_until_asked()
    view = engine.get(id)
    assert view is not None
    assert view.state is JobState.RUNNING
    job.finish()
    assert wait_for_state(engine, id, JobState.PAUSED).content["Done"] == 1


def test_a_cancellation_waits_for_a_moment(engine: JobsEngine, job: ElsewhereJob) -> None:
    id = engine.submit(job)
    job.wait_until_asked()
    assert engine.cancel(id)
    assert wait_for_state(engine, id, JobState.FAILURE).error_code == 37
    assert job.calls == ["start", "canceled"]


def test_the_engine_stops_without_it_and_it_is_done_again(engines: Engines) -> None:
    engine, job = engines(), ElsewhereJob()
    id = engine.submit(job)
    job.wait_until_asked()
    engine.stop()
    assert job.calls == ["start", "shutdown"]
    engine = engines(restores={"Elsewhere": CountingJob.restore})
    wait_for_state(engine, id, JobState.SUCCESS)
