"""A full disk, files that cannot be removed, a job that does not stop: nothing is lost, and it goes on by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import Checkpoint, StopReason
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from tests.jobs.conftest import Engines, Waiting, wait_for_state
from tests.jobs.doubles import CountingJob, GatedJob, KeepingJob, ScriptedJob, WritingJob
from tests.waiting import until


class Disk:
    """Makes the disk full for an engine, by SQLite's own limit of pages."""

    def __init__(self, engines: Engines) -> None:
        self._database: sqlite3.Connection = engines.stores[-1]._database

    def fill(self) -> None:
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        self._database.execute(f"PRAGMA max_page_count = {pages}")
        # The last page may have room for some small rows.
        rows = [(number, "x" * 200) for number in range(100_000, 100_100)]
        with pytest.raises(sqlite3.OperationalError):
            self._database.executemany("INSERT INTO payloads VALUES (?, ?)", rows)

    def free(self) -> None:
        self._database.execute("PRAGMA max_page_count = 1000000")


def huge() -> CountingJob:
    return CountingJob(2, name="x" * 20_000)


def test_a_job_that_cannot_be_written_is_refused(engine: JobsEngine, engines: Engines) -> None:
    disk = Disk(engines)
    disk.fill()
    with pytest.raises(OrthancError) as raised:
        engine.submit(huge())
    assert (raised.value.code, raised.value.status) == (19, 507)
    assert engine.ids() == []
    disk.free()
    assert engine.run(huge()).state is JobState.SUCCESS


def test_commands_that_cannot_be_written_change_nothing(engines: Engines) -> None:
    engine = engines(start=False)
    id = engine.submit(CountingJob(2))
    engine.pause(id)
    disk = broken(engines)
    for command in (engine.resume, engine.cancel):
        with pytest.raises(OrthancError) as raised:
            command(id)
        assert raised.value.code == 11
        assert engine.get(id).state is JobState.PAUSED  # type: ignore[union-attr] # known
    disk()
    assert engine.cancel(id)
    mend = broken(engines)
    with pytest.raises(OrthancError):
        engine.delete(id)
    assert engine.ids() == [id]
    mend()
    assert engine.delete(id)


def broken(engines: Engines) -> Callable[[], None]:
    """Let every write fail until the returned function is called."""
    database: sqlite3.Connection = engines.stores[-1]._database
    database.execute("PRAGMA query_only = ON")
    return lambda: (database.execute("PRAGMA query_only = OFF"), None)[1]


@pytest.mark.parametrize("fails", [False, True])
def test_the_end_of_a_job_waits_until_it_can_be_written(engines: Engines, fails: bool) -> None:
    engine = engines()
    job = ScriptedJob(1)
    id = engine.submit(job)
    wait_for_state(engine, id, JobState.RUNNING)
    mend = broken(engines)
    job.orders.put("fail" if fails else "go")
    until(lambda: engines.errors, what="a report")
    assert engine.get(id).state is JobState.RUNNING  # type: ignore[union-attr] # nobody is told what could be lost
    mend()
    wait_for_state(engine, id, JobState.FAILURE if fails else JobState.SUCCESS)
    assert [type(error) for error in engines.errors] == [OrthancError]  # told once
    assert job.calls[-1] == ("failure" if fails else "success")
    assert job.calls.count(job.calls[-1]) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_who_waits_for_a_job_is_told_that_its_end_cannot_be_written(engines: Engines, fails: bool) -> None:
    engine = engines()
    job = ScriptedJob(1)
    with ThreadPoolExecutor() as clients:
        answer = clients.submit(engine.run, job)
        until(engine.ids)
        (id,) = engine.ids()
        wait_for_state(engine, id, JobState.RUNNING)
        mend = broken(engines)
        job.orders.put("fail" if fails else "go")
        error = answer.exception(timeout=60)
        assert isinstance(error, OrthancError)
        assert (error.code, id in error.details) == (11, True)
        assert engine.get(id).state is JobState.RUNNING  # type: ignore[union-attr] # nobody is told what could be lost
        mend()
        wait_for_state(engine, id, JobState.FAILURE if fails else JobState.SUCCESS)


def test_a_note_that_cannot_be_written_is_left_out(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(3)
    id = engine.submit(job)
    job.wait_until_in_step()
    mend = broken(engines)
    job.let_through(1)
    job.wait_until_in_step()
    mend()
    assert [type(error) for error in engines.errors] == [OrthancError]
    job.let_through(2)
    wait_for_state(engine, id, JobState.SUCCESS)


def test_no_step_after_a_checkpoint_begins_before_that_is_written(engines: Engines) -> None:
    class Careful(GatedJob):
        def step(self) -> Any:
            return super().step() and Checkpoint()

    engine = engines()
    job = Careful(2)
    id = engine.submit(job)
    job.wait_until_in_step()
    mend = broken(engines)
    job.let_through(2)
    until(lambda: engines.errors, what="a report")
    assert (job.done, engine.get(id).content["Done"]) == (1, 0)  # type: ignore[union-attr] # known
    mend()
    wait_for_state(engine, id, JobState.SUCCESS)
    assert [type(error) for error in engines.errors] == [OrthancError]  # told once


def test_a_stop_on_a_broken_disk_ends(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(1)
    id = engine.submit(job)
    job.wait_until_in_step()
    broken(engines)
    job.let_through()
    until(lambda: engines.errors, what="a report")
    engine.stop()
    engine = engines(start=False)
    assert engine.get(id).state is JobState.PENDING  # type: ignore[union-attr] # it runs again


def test_a_file_that_cannot_be_removed(engines: Engines) -> None:
    engine = engines()
    job = WritingJob(engines.outputs)
    id = engine.run(job).id
    path = engines.folder / "outputs" / job.output
    path.unlink()
    path.mkdir()  # no file any more: unlink fails
    (path / "x").touch()
    assert engine.run(WritingJob(engines.outputs)).state is JobState.SUCCESS
    assert engine.output(id, "archive") is None
    until(lambda: engines.errors)  # the file is removed after the answer
    assert isinstance(engines.errors[0], OSError)


def test_errors_in_stop_are_reported(engine: JobsEngine, engines: Engines) -> None:
    class Clinging(CountingJob):
        def stop(self, reason: StopReason) -> None:
            raise ValueError("no")

    assert engine.run(Clinging()).state is JobState.SUCCESS
    assert [str(error) for error in engines.errors] == ["no"]


def test_a_step_that_does_not_end_does_not_hold_the_stop(engines: Engines) -> None:
    engine = engines()
    job = GatedJob(1)
    engine.submit(job)
    job.wait_until_in_step()
    caller = Waiting(engine, CountingJob())
    until(lambda: len(engine.ids()) == 2)
    engine.stop(timeout=0.05)
    error = caller.end().error
    assert error is not None
    assert error.code == 36
    job.let_through()


def test_a_serialization_that_fails(engine: JobsEngine, engines: Engines) -> None:
    class Odd(GatedJob):
        def serialize(self) -> dict[str, Any] | None:
            if self.done:
                raise ValueError("odd")
            return super().serialize()

    job = Odd(3)
    id = engine.submit(job)
    job.let_through(1)
    job.wait_until_in_step()
    job.wait_until_in_step()
    engine.pause(id)
    job.let_through(1)
    wait_for_state(engine, id, JobState.PAUSED)
    assert {str(error) for error in engines.errors} == {"odd"}


def test_a_list_that_cannot_be_forgotten_does_not_hold_up_the_stop(engines: Engines) -> None:
    kept = engines().run(CountingJob()).id
    engine = engines.restarted(load_jobs=False)
    broken(engines)
    engine.stop()
    assert [getattr(error, "code", None) for error in engines.errors] == [11]
    engine.stop()
    assert len(engines.errors) == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        engines.stores[-1]._database.execute("SELECT 1")
    assert engines().ids() == [kept]


def test_an_output_that_cannot_be_removed_stays(engines: Engines) -> None:
    engine = engines()
    id = engine.run(KeepingJob(engines.outputs, "kept")).id
    mend = broken(engines)
    with pytest.raises(OrthancError):
        engine.delete_output(id, "archive")
    output = engine.output(id, "archive")
    assert output is not None
    assert output.content == b"kept"
    mend()
    assert engine.delete_output(id, "archive")
    assert engine.output(id, "archive") is None
    assert engines.restarted().output(id, "archive") is None
