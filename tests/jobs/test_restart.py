"""What is left of the jobs after a restart."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock
from tests.jobs.conftest import Engines, wait_for_state
from tests.jobs.doubles import CountingJob, FailingJob, GatedJob, KeepingJob, WritingJob
from tests.waiting import until


def states(engine: JobsEngine) -> dict[str, JobState]:
    return {view.id: view.state for view in engine.views()}


def test_ended_jobs_are_shown_as_they_were(engines: Engines) -> None:
    engine = engines()
    engine.run(CountingJob(2, name="µ\ud800"), -3)
    failed = engine.submit(FailingJob())
    wait_for_state(engine, failed, JobState.FAILURE)
    before = engine.views()
    assert engines.restarted(start=False).views() == before


def test_waiting_and_running_jobs_run_again_by_priority(engines: Engines) -> None:
    engine = engines()
    running = GatedJob(4, name="running")
    ids = [engine.submit(running)]
    running.wait_until_in_step()
    ids += [engine.submit(CountingJob(1, name=name), priority) for name, priority in [("low", -1), ("a", 0), ("b", 0)]]
    running.let_through(1)
    running.wait_until_in_step()
    running.let_through(1)
    order: list[str] = []
    engine = engines.restarted(restores=noting(order))
    until(lambda: engine.counts()[JobState.SUCCESS] == 4)
    assert order == ["running at 2", "a at 0", "b at 0", "low at 0"]
    assert engine.ids() == sorted(ids)


def noting(order: list[str]) -> dict[str, Any]:
    class Noting(CountingJob):
        def start(self) -> None:
            order.append(f"{self.name} at {self.done}")

    return {"Counting": Noting.restore, "Gated": Noting.restore}


def test_a_paused_job_stays_paused_at_its_position(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(3)
    id = engine.submit(job, 5)
    job.wait_until_in_step()
    engine.pause(id)
    job.let_through()
    before = wait_for_state(engine, id, JobState.PAUSED)
    engine = engines.restarted(restores={"Gated": CountingJob.restore})
    assert engine.get(id) == before
    assert engine.resume(id)
    assert wait_for_state(engine, id, JobState.SUCCESS).content["Done"] == 3


def test_what_was_asked_of_a_running_job_is_kept(engines: Engines) -> None:
    engine = engines(concurrent_jobs=2)
    paused, canceled = GatedJob(3), GatedJob(3)
    ids = [engine.submit(job) for job in (paused, canceled)]
    for job in (paused, canceled):
        job.wait_until_in_step()
    assert engine.pause(ids[0])
    assert engine.cancel(ids[1])
    engine = engines(start=False)  # the first one never came to its end
    assert [engine.get(id).state for id in ids] == [JobState.PAUSED, JobState.FAILURE]  # type: ignore[union-attr] # known
    assert engine.get(ids[1]).error_code == 37  # type: ignore[union-attr] # known
    for job in (paused, canceled):
        job.let_through(3)


def test_a_failure_is_resubmitted_after_a_restart(engines: Engines) -> None:
    engine = engines()
    id = engine.submit(FailingJob(at=1, steps=3, times=1))
    created = wait_for_state(engine, id, JobState.FAILURE).creation_time
    engine = engines.restarted()
    assert engine.resubmit(id)
    view = wait_for_state(engine, id, JobState.SUCCESS)
    assert (view.content["Done"], view.creation_time) == (3, created)


def test_deleted_and_evicted_jobs_do_not_come_back(engines: Engines) -> None:
    engine = engines(history_size=2)
    ids = [engine.run(CountingJob()).id for _ in range(4)]
    until(lambda: len(engine.ids()) == 2)
    engine.delete(ids[3])
    assert engines.restarted(history_size=10).ids() == [ids[2]]


def test_a_smaller_history_keeps_the_last_ones(engines: Engines) -> None:
    engine = engines()
    ids = [engine.run(CountingJob()).id for _ in range(5)]
    assert engines.restarted(history_size=2).ids() == sorted(ids[3:])


def test_outputs_survive_within_the_limit(engines: Engines) -> None:
    engine = engines(media_archive_size=3)
    ids = [engine.run(WritingJob(engines.outputs, text)).id for text in "abc"]
    stray = WritingJob(engines.outputs, "nobody's")
    stray.step()
    waiting = WritingJob(engines.outputs, "part of a job that waits")
    waiting.step()
    engine.pause(engine.submit(waiting))
    engine = engines.restarted(media_archive_size=2)
    assert engine.output(ids[0], "archive") is None
    assert [engines.text_of(engine.output(id, "archive")) for id in ids[1:]] == ["b", "c"]
    assert waiting.output in engines.outputs.names()
    assert stray.output not in engines.outputs.names()


def test_outputs_without_a_file_survive_within_the_limit(engines: Engines) -> None:
    engine = engines(media_archive_size=2)
    ids = [engine.run(KeepingJob(engines.outputs, text)).id for text in ("a", "b\0\xff", "c")]
    assert kept(engine, ids) == [None, "b\0\xff", "c"]
    assert list((engines.folder / "outputs").iterdir()) == []
    engine = engines.restarted(media_archive_size=5)
    assert kept(engine, ids) == [None, "b\0\xff", "c"], "the one that was let go does not come back"
    assert engine.delete_output(ids[1], "archive")
    assert not engine.delete_output(ids[1], "archive")
    assert kept(engines.restarted(media_archive_size=5), ids) == [None, None, "c"]


def kept(engine: JobsEngine, ids: list[str]) -> list[str | None]:
    outputs = [engine.output(id, "archive") for id in ids]
    return [None if output is None or output.content is None else output.content.decode() for output in outputs]


def test_the_file_of_an_unfinished_job_is_kept(engines: Engines) -> None:
    engine = engines(start=False)
    waiting = WritingJob(engines.outputs, "half")
    waiting.step()
    engine.submit(waiting)
    engines.restarted(start=False, restores={"Writing": lambda payload: CountingJob()})
    assert engines.outputs.size(waiting.output) == 4


def test_no_jobs_forgets_those_of_the_last_run(engines: Engines) -> None:
    engines().run(CountingJob())
    engine = engines.restarted(load_jobs=False)
    assert engine.ids() == []
    assert engines.restarted().ids() == []  # although nothing was saved meanwhile, as in Orthanc
    engines.made[-1].run(CountingJob())
    engine = engines.restarted(load_jobs=False)
    new = engine.run(CountingJob()).id
    assert engines.restarted().ids() == [new]


def test_nothing_is_kept_without_a_database(engines: Engines) -> None:
    engines(database=False).run(CountingJob())
    assert engines.restarted(database=False).ids() == []
    assert list(engines.folder.glob("*.sqlite3*")) == []


def test_a_job_that_is_not_durable(engines: Engines) -> None:
    engine = engines()
    done = engine.run(CountingJob(durable=False)).id
    engine.pause(engine.submit(CountingJob(durable=False)))
    assert states(engines.restarted()) == {done: JobState.SUCCESS}


def test_unknown_types_and_broken_payloads_become_failures(engines: Engines) -> None:
    def broken(payload: dict[str, Any]) -> CountingJob:
        raise KeyError("steps")

    engine = engines()
    blocker = GatedJob(2)
    engine.submit(blocker)
    blocker.wait_until_in_step()
    engine.pause(engine.submit(CountingJob()))
    blocker.let_through(2)
    engine.stop()
    with closing(sqlite3.connect(engines.folder / "jobs.sqlite3")) as database, database:
        database.execute("UPDATE jobs SET state = 'Pending'")
    engine = engines(restores={"Counting": broken})
    failed = {view.type: (view.state, view.error_code, view.error_details) for view in engine.views()}
    assert failed == {
        "Gated": (JobState.FAILURE, 2, "Unknown type of job: Gated; its extension may be missing"),
        "Counting": (JobState.FAILURE, 20, "The saved job cannot be read: KeyError: 'steps'"),
    }
    after = {view.type: view.state for view in engines.restarted(start=False).views()}
    assert after == {"Gated": JobState.PENDING, "Counting": JobState.FAILURE}, "one whose type is known again goes on"


def test_the_history_forgets_no_job_whose_type_is_missing(engines: Engines) -> None:
    engine = engines(start=False)
    waiting = engine.submit(CountingJob(2))
    engine.pause(waiting)
    engine = engines.restarted(restores={}, history_size=0)
    assert engine.ids() == []
    engine = engines.restarted()
    assert states(engine) == {waiting: JobState.PAUSED}
    assert engine.resume(waiting)
    wait_for_state(engine, waiting, JobState.SUCCESS)


def test_a_job_whose_type_is_missing_can_be_deleted(engines: Engines) -> None:
    engine = engines(start=False)
    waiting = engine.submit(CountingJob(2))
    engine = engines.restarted(restores={})
    with pytest.raises(OrthancError, match="Unknown type"):
        engine.resubmit(waiting)
    assert engine.delete(waiting)
    assert engines.restarted().ids() == []


def test_a_job_whose_type_is_missing_can_be_canceled(engines: Engines) -> None:
    engine = engines(start=False)
    waiting = engine.submit(CountingJob(2))
    engine = engines.restarted(restores={})
    assert engine.cancel(waiting)
    assert engine.events.since()[-1].event is Happened.CANCEL
    engine = engines.restarted()
    assert states(engine) == {waiting: JobState.FAILURE}, "it does not go on, since somebody has said so"
    assert engine.resubmit(waiting)
    wait_for_state(engine, waiting, JobState.SUCCESS)


def test_progress_is_that_of_the_position_on_disk(engines: Engines) -> None:
    engine = engines(clock=ManualClock())
    job = GatedJob(4)
    id = engine.submit(job)
    job.let_through(2)
    for _ in range(3):
        job.wait_until_in_step()
    with closing(sqlite3.connect(engines.folder / "jobs.sqlite3")) as database, database:
        database.execute("UPDATE jobs SET position = NULL")  # as if it had been left out
    assert engine.pause(id)
    view = engines(start=False).get(id)
    assert view is not None
    assert (view.state, view.progress, view.content["Done"]) == (JobState.PAUSED, 0, 0)
    job.let_through(2)


def test_a_restored_job_that_says_nonsense(engines: Engines) -> None:
    class Nonsense(CountingJob):
        def content(self) -> dict[str, Any]:
            raise ValueError("nonsense")

    engine = engines()
    job = GatedJob(2)
    id = engine.submit(job)
    job.let_through(1)
    for _ in range(2):
        job.wait_until_in_step()
    view = engines(start=False, restores={"Gated": lambda payload: Nonsense()}).get(id)
    assert view is not None
    assert (view.state, view.error_details) == (JobState.FAILURE, "The saved job cannot be read: ValueError: nonsense")
    job.let_through(1)


@pytest.mark.parametrize("text", ["", "null", "[]", '{"progress": "x"}', "\x00", '{"error": 5, "asked": [1]}'])
@pytest.mark.parametrize("column", ["status", "outputs", "payload", "state", "created"])
def test_a_damaged_line_does_not_stop_the_start(engines: Engines, column: str, text: str) -> None:
    engine = engines(start=False)
    good = engine.submit(GatedJob(1))
    bad = engine.submit(CountingJob(3))
    engine.pause(bad)
    engine.pause(good)
    engine.stop()
    with closing(sqlite3.connect(engines.folder / "jobs.sqlite3")) as database, database:
        database.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (text, bad))
    engine = engines(start=False)
    assert set(engine.ids()) == {good, bad}
    assert states(engine)[bad] in (JobState.FAILURE, JobState.PAUSED)
    assert states(engines.restarted())[bad] in (JobState.FAILURE, JobState.PAUSED)


def test_a_file_that_is_no_database(engines: Engines) -> None:
    (engines.folder / "jobs.sqlite3").write_bytes(b"hello" * 1000)
    with pytest.raises(OrthancError) as raised:
        engines()
    assert raised.value.code == 11


def test_a_file_of_another_version(engines: Engines) -> None:
    engines().stop()
    with closing(sqlite3.connect(engines.folder / "jobs.sqlite3")) as database, database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(OrthancError, match="another version") as raised:
        engines()
    assert raised.value.code == 18


def test_large_payloads_are_written_once(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(50, name="x" * 100_000)
    id = engine.submit(job)
    job.let_through(49)
    for _ in range(50):
        job.wait_until_in_step()
    written = sum(path.stat().st_size for path in Path(engines.folder).glob("jobs.sqlite3*"))
    assert written < 1_500_000
    engine.pause(id)
    job.let_through(1)
    wait_for_state(engine, id, JobState.SUCCESS)
    with closing(sqlite3.connect(engines.folder / "jobs.sqlite3")) as database, database:
        assert database.execute("SELECT count(*) FROM payloads").fetchone() == (0,)
        (status,) = database.execute("SELECT status FROM jobs").fetchone()
    assert json.loads(status)["progress"] == 1.0
