"""The engine through its public face: running, controlling, forgetting."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from tests.jobs.conftest import Engines, Waiting, wait_for_state
from tests.jobs.doubles import DEADLINE, CountingJob, FailingJob, GatedJob, WritingJob
from tests.waiting import until


def test_runs_all_steps(engine: JobsEngine) -> None:
    job = CountingJob(3, name="x")
    view = engine.run(job)
    assert (view.state, view.progress, view.error_code, view.error_details) == (JobState.SUCCESS, 100, 0, "")
    assert view.content == {"Done": 3, "Name": "x"}
    assert view.completion_time is not None
    assert view.completion_time >= view.creation_time
    assert job.calls == ["start", "step", "step", "step", "success"]


def test_an_empty_job_is_complete(engine: JobsEngine) -> None:
    assert engine.run(CountingJob(0)).progress == 100


def test_unknown_ids(engine: JobsEngine) -> None:
    assert engine.get("nope") is None
    for command in (engine.cancel, engine.pause, engine.resume, engine.resubmit, engine.delete):
        assert command("nope") is False
    assert engine.output("nope", "archive") is None
    assert engine.delete_output("nope", "archive") is False


def test_a_failed_step_does_not_count(engine: JobsEngine, engines: Engines) -> None:
    id = engine.submit(FailingJob(at=1, steps=3))
    view = wait_for_state(engine, id, JobState.FAILURE)
    assert (view.progress, view.error_code, view.error_details) == (33, 9, "The other end is gone")
    assert engines.errors == []


@pytest.mark.parametrize("error", [ValueError("oops"), SystemExit(3), KeyError("x")])
def test_any_other_exception_is_an_internal_error(engine: JobsEngine, engines: Engines, error: BaseException) -> None:
    with pytest.raises(OrthancError) as raised:
        engine.run(FailingJob(error))
    assert (raised.value.code, raised.value.details) == (-1, "")
    assert engines.errors == [error]
    assert engine.run(CountingJob()).state is JobState.SUCCESS  # the worker lives


def test_a_job_that_cannot_start_fails(engine: JobsEngine) -> None:
    class Locked(CountingJob):
        def start(self) -> None:
            raise OrthancError(14, "No place")

    with pytest.raises(OrthancError, match="No place"):
        engine.run(Locked())


def test_content_that_is_no_json_is_an_internal_error(engine: JobsEngine, engines: Engines) -> None:
    class Wrong(CountingJob):
        def content(self) -> dict[str, Any]:
            return {"x": object()} if self.done else {"x": 1}

    with pytest.raises(OrthancError) as raised:
        engine.run(Wrong(2))
    assert raised.value.code == -1
    assert isinstance(engines.errors[0], TypeError)


def test_pause_keeps_the_position(engine: JobsEngine) -> None:
    job = GatedJob(4)
    id = engine.submit(job)
    job.wait_until_in_step()
    assert engine.pause(id)
    assert engine.get(id).state is JobState.RUNNING  # type: ignore[union-attr] # known
    job.let_through()
    view = wait_for_state(engine, id, JobState.PAUSED)
    assert (view.progress, view.completion_time, view.error_code) == (25, None, 0)
    assert engine.run(CountingJob()).state is JobState.SUCCESS  # the worker is free
    assert engine.pause(id)  # without effect
    job.let_through(3)
    assert engine.resume(id)
    assert wait_for_state(engine, id, JobState.SUCCESS).content["Done"] == 4
    assert job.calls == ["start", "step", "paused", "start", "step", "step", "step", "success"]
    assert engine.resume(id) is False


def test_cancel_between_two_steps(engine: JobsEngine) -> None:
    job = GatedJob(4)
    id = engine.submit(job)
    job.wait_until_in_step()
    assert engine.cancel(id)
    job.let_through()
    view = wait_for_state(engine, id, JobState.FAILURE)
    assert (view.error_code, view.progress) == (37, 25)
    assert job.calls == ["start", "step", "canceled"]


def test_pause_goes_before_cancel_and_clears_it(engine: JobsEngine) -> None:
    job = GatedJob(4)
    id = engine.submit(job)
    job.wait_until_in_step()
    assert engine.cancel(id)
    assert engine.pause(id)
    job.let_through(1)
    wait_for_state(engine, id, JobState.PAUSED)
    job.let_through(3)
    assert engine.resume(id)
    wait_for_state(engine, id, JobState.SUCCESS)


def test_a_last_step_ends_the_job_whatever_was_asked(engine: JobsEngine) -> None:
    job = GatedJob(1)
    id = engine.submit(job)
    job.wait_until_in_step()
    assert engine.pause(id)
    job.let_through()
    wait_for_state(engine, id, JobState.SUCCESS)


def test_a_pending_job_is_paused_and_canceled_at_once(engine: JobsEngine) -> None:
    blocker, job = GatedJob(1), CountingJob()
    engine.submit(blocker)
    id = engine.submit(job)
    assert engine.pause(id)
    assert engine.get(id).state is JobState.PAUSED  # type: ignore[union-attr] # known
    assert engine.resubmit(id) is False
    assert engine.delete(id) is False
    assert engine.cancel(id)
    view = engine.get(id)
    assert view is not None
    assert (view.state, view.error_code, view.progress) == (JobState.FAILURE, 37, 0)
    assert job.calls == ["paused", "canceled"]
    blocker.let_through()


def test_resubmit_starts_again_under_the_same_id(engine: JobsEngine) -> None:
    job = FailingJob(at=1, steps=2, times=1)
    id = engine.submit(job)
    failed = wait_for_state(engine, id, JobState.FAILURE)
    blocker = GatedJob(1)
    engine.submit(blocker)
    blocker.wait_until_in_step()
    assert engine.resubmit(id)
    waiting = engine.get(id)
    assert waiting is not None
    assert (waiting.state, waiting.progress, waiting.error_code) == (JobState.PENDING, 50, 9)
    assert (waiting.error_details, waiting.completion_time) == ("The other end is gone", None)
    blocker.let_through()
    done = wait_for_state(engine, id, JobState.SUCCESS)
    assert done.creation_time == failed.creation_time
    assert (done.error_code, done.error_details) == (0, "")


def test_a_job_that_refuses_to_run_again_stays_failed(engine: JobsEngine) -> None:
    class Once(FailingJob):
        def reset(self) -> None:
            raise OrthancError(6, "Cannot resubmit the creation of an archive")

    id = engine.submit(Once())
    wait_for_state(engine, id, JobState.FAILURE)
    with pytest.raises(OrthancError, match="Cannot resubmit"):
        engine.resubmit(id)
    assert engine.get(id).state is JobState.FAILURE  # type: ignore[union-attr] # known


def test_priority_then_arrival(engine: JobsEngine) -> None:
    order: list[str] = []

    class Noting(CountingJob):
        def step(self) -> bool:
            order.append(self.name)
            return super().step()

    blocker = GatedJob(1)
    engine.submit(blocker)
    blocker.wait_until_in_step()
    for name, priority in [("a", 0), ("low", -5), ("b", 0), ("high", 9), ("c", 0)]:
        last = engine.submit(Noting(1, name=name), priority)
    assert last
    blocker.let_through()
    until(lambda: len(order) == 5)
    assert order == ["high", "a", "b", "c", "low"]


def test_cancel_releases_the_caller_with_37(engine: JobsEngine) -> None:
    job = GatedJob(3)
    caller = Waiting(engine, job)
    job.wait_until_in_step()
    (id,) = engine.ids()
    engine.cancel(id)
    job.let_through()
    error = caller.end().error
    assert error is not None
    assert (error.code, error.details, error.status) == (37, "", 500)


def test_pause_keeps_the_caller_waiting(engine: JobsEngine) -> None:
    job = GatedJob(2)
    caller = Waiting(engine, job)
    job.wait_until_in_step()
    (id,) = engine.ids()
    engine.pause(id)
    job.let_through()
    wait_for_state(engine, id, JobState.PAUSED)
    assert caller.is_alive()
    job.let_through()
    engine.resume(id)
    assert caller.end().view.state is JobState.SUCCESS


def test_the_history_keeps_the_last_completed(engines: Engines) -> None:
    engine = engines(history_size=2)
    paused = engine.submit(GatedJob(1))
    engine.pause(paused)
    ids = [engine.run(CountingJob()).id for _ in range(4)]
    until(lambda: len(engine.ids()) <= 3)
    assert set(engine.ids()) <= {paused, *ids[2:]}


def test_no_history(engines: Engines) -> None:
    engine = engines(history_size=0)
    with pytest.raises(OrthancError) as raised:
        engine.run(CountingJob())
    assert (raised.value.code, raised.value.status) == (7, 404)
    assert "JobsHistorySize" in raised.value.details
    assert engine.ids() == []


def test_outputs_of_the_least_recently_used_go_first(engines: Engines) -> None:
    engine = engines(media_archive_size=2)
    first, second = engine.run(WritingJob(engines.outputs, "1")).id, engine.run(WritingJob(engines.outputs, "2")).id
    assert engine.output(first, "archive") is not None  # a use
    third = engine.run(WritingJob(engines.outputs, "3")).id
    assert engine.output(second, "archive") is None
    assert engine.get(second).state is JobState.SUCCESS  # type: ignore[union-attr] # known
    for id, text in ((first, "1"), (third, "3")):
        output = engine.output(id, "archive")
        assert output is not None
        assert engines.text_of(output) == text
    assert engine.output(first, "other") is None
    assert engine.delete_output(first, "archive") is True
    assert engine.delete_output(first, "archive") is False
    assert engine.delete(third) is True
    assert list((engines.folder / "outputs").iterdir()) == []


@pytest.mark.parametrize("options", [{"media_archive_size": 0}, {"concurrent_jobs": -1}, {"history_size": -1}])
def test_numbers_out_of_range(engines: Engines, options: dict[str, int]) -> None:
    with pytest.raises(OrthancError) as raised:
        engines(**options)
    assert raised.value.code == 3


def test_several_workers(engines: Engines) -> None:
    engine = engines(concurrent_jobs=3)
    jobs = [GatedJob(1) for _ in range(4)]
    for job in jobs:
        engine.submit(job)
    for job in jobs[:3]:
        job.wait_until_in_step()
    assert engine.counts()[JobState.RUNNING] == 3
    assert engine.counts()[JobState.PENDING] == 1
    for job in jobs:
        job.let_through()
    until(lambda: engine.counts()[JobState.SUCCESS] == 4)


def test_stop_finishes_the_step_and_releases_the_callers(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(5)
    caller = Waiting(engine, job)
    job.wait_until_in_step()
    stopper = threading.Thread(target=engine.stop)
    stopper.start()
    job.let_through(5)
    stopper.join(DEADLINE)
    error = caller.end().error
    assert error is not None
    assert (error.code, error.status) == (36, 503)
    assert job.calls == ["start", "step", "shutdown"]
    with pytest.raises(OrthancError) as raised:
        engine.submit(CountingJob())
    assert raised.value.code == 36


def test_many_callers_at_once(engines: Engines) -> None:
    engine = engines(concurrent_jobs=2, history_size=1000)
    callers = [Waiting(engine, CountingJob(2)) for _ in range(50)]
    assert {caller.end().view.state for caller in callers} == {JobState.SUCCESS}
    assert engine.ids() == sorted(engine.ids())
    assert len(engine.views()) == 50
