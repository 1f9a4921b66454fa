"""Several servers on one list of jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from orthanc_lab.jobs.ports import Checkpoint, Jobs, JobView
from orthanc_lab.postgresql.listening import notify
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from tests.jobs.conftest import Waiting, wait_for_state
from tests.jobs.doubles import CountingJob, FailingJob, GatedJob, KeepingJob, WritingJob
from tests.jobs.shared.conftest import LEASE, Server, Servers
from tests.waiting import until


class Held(CountingJob):
    """Waits in each step, at whatever server, until the test lets it through."""

    type = "Held"
    entered = threading.Semaphore(0)
    gate = threading.Semaphore(0)

    def step(self) -> bool:
        self.entered.release()
        assert self.gate.acquire(timeout=20)
        return super().step()


@pytest.fixture(autouse=True)
def gates() -> Iterator[None]:
    """Each test has its own gates, which are open at its end."""
    Held.entered, Held.gate = threading.Semaphore(0), threading.Semaphore(0)
    yield
    Held.gate.release(1000)


class HeldAndWritten(Held):
    """Has each step written down before the next one."""

    type = "HeldAndWritten"

    def step(self) -> bool | Checkpoint:  # type: ignore[override]
        return Checkpoint() if super().step() else False


HELD = {job.type: job.restore for job in (Held, HeldAndWritten, CountingJob, FailingJob)}


def held_by(server: Server, steps: int = 3, name: str = "", kind: type[Held] = Held) -> str:
    """Return a job that is in its first step at a server, which is the only one that runs jobs."""
    id = server.engine.submit(kind(steps, name=name))
    assert Held.entered.acquire(timeout=20)
    return id


def steps_until(server: Server, id: str, state: JobState) -> JobView:
    """Let a job make one step after the other, until it is in a state."""

    def reached() -> JobView | None:
        Held.gate.release()
        Held.entered.acquire(timeout=0.05)
        view = server.engine.get(id)
        return view if view is not None and view.state is state else None

    view = until(reached)
    assert view is not None
    Held.gate, Held.entered = threading.Semaphore(0), threading.Semaphore(0)
    return view


def test_a_job_is_shown_and_run_by_any_server(servers: Servers) -> None:
    one = servers()
    gate = GatedJob()
    blocked = one.engine.submit(gate)
    gate.wait_until_in_step()
    other = servers()
    id = one.engine.submit(CountingJob(3, name="a"))
    assert other.engine.ids() == sorted([blocked, id])
    wait_for_state(other.engine, id, JobState.SUCCESS)
    view = one.engine.get(id)
    assert view is not None
    assert (view.state, view.content) == (JobState.SUCCESS, {"Done": 3, "Name": "a"})
    assert one.engine.cluster().jobs[id] == other.name
    gate.let_through(3)
    assert wait_for_state(other.engine, blocked, JobState.SUCCESS).content["Done"] == 3
    assert one.errors == other.errors == []


def test_the_highest_priority_goes_first_whoever_has_it(servers: Servers) -> None:
    """And among equals the first; each server runs as many as it may."""
    one, other = servers(restores=HELD), servers(restores=HELD)
    for server in (one, other):
        held_by(server, steps=1)
    low = one.engine.submit(CountingJob(name="low"), -1)
    first = one.engine.submit(CountingJob(name="first"))
    second = other.engine.submit(CountingJob(name="second"))
    high = other.engine.submit(CountingJob(name="high"), 5)
    assert [one.engine.ahead(id) for id in (high, first, second, low)] == [0, 1, 2, 3]
    assert other.engine.counts()[JobState.RUNNING] == 2
    Held.gate.release()
    wait_for_state(one.engine, low, JobState.SUCCESS)
    ended = sorted((one.engine.get(id) for id in (low, first, second, high)), key=lambda view: view.completion_time)  # type: ignore[union-attr, arg-type, return-value]
    assert [view.content["Name"] for view in ended] == ["high", "first", "second", "low"]  # type: ignore[union-attr]
    Held.gate.release()


def test_a_command_reaches_a_job_at_another_server(servers: Servers) -> None:
    """It is honoured between two steps, as soon as the other server has heard of it."""
    runner, other = servers(restores=HELD), servers(restores=HELD, start=False)
    id = held_by(runner, steps=100)
    other.engine.start()
    assert other.engine.pause(id)
    done = steps_until(other, id, JobState.PAUSED).content["Done"]
    assert done < 100
    assert other.engine.resume(id)
    assert Held.entered.acquire(timeout=20)
    assert other.engine.cancel(id)
    view = steps_until(other, id, JobState.FAILURE)
    assert view.error_code == 37
    assert done < view.content["Done"] < 100
    assert other.engine.resubmit(id)
    assert Held.entered.acquire(timeout=20)
    Held.gate.release(100)
    assert wait_for_state(other.engine, id, JobState.SUCCESS).content["Done"] == 100
    assert other.engine.delete(id)
    assert runner.engine.get(id) is None
    assert not runner.engine.delete(id)
    assert runner.errors == other.errors == []


@pytest.mark.parametrize("event", ["pause", "cancel"])
def test_a_job_that_waits_is_commanded_from_elsewhere(servers: Servers, event: str) -> None:
    """Also the one that the server which has it in its memory would run."""
    one = servers(restores=HELD)
    held_by(one, steps=1)
    other = servers(restores={})
    job = CountingJob()
    id = one.engine.submit(job)
    assert getattr(other.engine, event)(id)
    state = JobState.PAUSED if event == "pause" else JobState.FAILURE
    assert one.engine.get(id).state is state  # type: ignore[union-attr]
    until(lambda: job.calls == ["paused" if event == "pause" else "canceled"], what=lambda: job.calls)
    Held.gate.release()


def test_two_servers_command_one_job_at_once(servers: Servers) -> None:
    """Each command is carried out, one after the other."""
    one, other = servers(start=True, restores={}), servers(restores={})
    id = one.engine.submit(Held(2))
    start = threading.Barrier(2)
    refused: list[str] = []

    def command(engine: Jobs) -> None:
        start.wait()
        for _ in range(20):
            if not engine.pause(id):
                refused.append("pause")
            engine.resume(id)

    threads = [threading.Thread(target=command, args=(server.engine,)) for server in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert one.engine.get(id).state is other.engine.get(id).state  # type: ignore[union-attr]


def test_a_caller_waits_for_a_job_at_another_server(servers: Servers) -> None:
    """And gets its content, or its failure."""
    one = servers(restores=HELD)
    held_by(one)
    other = servers(restores=HELD)
    ended = Waiting(one.engine, CountingJob(2, name="x")).end()
    assert ended.view.content == {"Done": 2, "Name": "x"}
    assert one.engine.cluster().jobs[ended.view.id] == other.name
    failed = Waiting(one.engine, FailingJob(at=1)).end()
    assert failed.error is not None
    assert (failed.error.code, failed.error.details) == (9, "The other end is gone")
    Held.gate.release(3)


def test_a_caller_learns_the_end_of_a_job_that_is_forgotten(servers: Servers) -> None:
    """The history is full before its server looks."""
    one = servers(restores=HELD, history_size=1)
    held_by(one)
    other = servers(restores=HELD, history_size=1)
    waiting = Waiting(one.engine, CountingJob(2, name="x"))
    for _ in range(5):
        other.engine.submit(CountingJob())
    assert waiting.end().view.content == {"Done": 2, "Name": "x"}
    Held.gate.release(3)


def test_a_job_that_cannot_be_saved_stays_with_its_server(servers: Servers) -> None:
    """It is in the list all the same, and its server runs it when it has a worker."""
    one = servers(restores=HELD)
    held_by(one)
    other = servers(restores=HELD)
    job = CountingJob(durable=False)
    id = one.engine.submit(job)
    assert other.engine.get(id).state is JobState.PENDING  # type: ignore[union-attr]
    Held.gate.release(3)
    wait_for_state(other.engine, id, JobState.SUCCESS)
    assert job.done == 1


def test_a_kind_that_a_server_does_not_know_is_run_by_another(servers: Servers) -> None:
    """As of an extension that only some servers have."""
    without = servers(restores={}, lease=30.0)  # a busy machine does not take its jobs away
    with_it = servers(start=False, restores=HELD)
    gate = GatedJob()
    blocked = without.engine.submit(gate)  # its server can run it: it has made it
    id = without.engine.submit(Held())
    assert without.engine.get(id).state is JobState.PENDING  # type: ignore[union-attr]
    with_it.engine.start()
    assert Held.entered.acquire(timeout=20)
    assert without.engine.cluster().jobs[id] == with_it.name
    Held.gate.release(3)
    wait_for_state(without.engine, id, JobState.SUCCESS)
    assert without.engine.get(blocked).state is JobState.RUNNING  # type: ignore[union-attr]
    gate.let_through(3)


def test_history_and_archive_are_of_all_servers(servers: Servers) -> None:
    """The jobs that ended first are forgotten, and the outputs that were used least recently."""
    settings: dict[str, Any] = {"history_size": 3, "media_archive_size": 2}
    one, other = servers(**settings), servers(**settings)
    ids = []
    for number in range(4):
        server = (one, other)[number % 2]
        kind = WritingJob if number % 2 else KeepingJob
        ids.append(server.engine.run(kind(server.outputs, f"text {number}")).id)
        assert one.engine.output(ids[0], "archive") is not None or number == 3
    until(lambda: one.engine.ids() == sorted(ids[1:]))
    assert other.engine.ids() == sorted(ids[1:])
    kept = {id: other.engine.output(id, "archive") is not None for id in ids}
    assert sum(kept.values()) <= 2
    assert kept[ids[3]]
    assert len(list(one.outputs.names())) <= 1
    assert other.engine.delete_output(ids[3], "archive")
    assert one.engine.output(ids[3], "archive") is None
    assert one.errors == other.errors == []


def test_a_server_that_stops_hands_its_jobs_over_at_once(servers: Servers) -> None:
    """At their last finished step, and long before its lease would have ended."""
    one, other = servers(restores=HELD), servers(restores=HELD, start=False)
    id = held_by(one, name="a")
    other.engine.start()
    stopping = threading.Thread(target=one.engine.stop)
    stopping.start()
    until(lambda: one.engine.stopping)
    Held.gate.release()
    stopping.join()
    assert Held.entered.acquire(timeout=20)
    view = other.engine.get(id)
    assert view is not None
    assert (view.state, view.content["Done"]) == (JobState.RUNNING, 1)
    Held.gate.release(2)
    assert wait_for_state(other.engine, id, JobState.SUCCESS).content["Done"] == 3
    assert [server.name for server in other.engine.cluster().servers] == [other.name]
    assert other.engine.cluster().take_overs == ()


def test_a_stopped_server_is_taken_over_and_cannot_write_any_more(servers: Servers) -> None:
    """It wakes up, finds that its lease has ended, and comes back as another one."""
    one, other = servers(restores=HELD, lease=LEASE), servers(restores=HELD, start=False)
    id = held_by(one, name="a")
    other.engine.start()
    before = one.engine.cluster().servers[0].epoch
    one.list.freeze()
    assert Held.entered.acquire(timeout=20)  # the other one has begun the first step again
    Held.gate.release()  # of the one that was stopped; its step ends now, too late
    Held.gate.release()
    assert Held.entered.acquire(timeout=20)
    one.list.thaw()
    Held.gate.release(2)
    assert wait_for_state(other.engine, id, JobState.SUCCESS).content == {"Done": 3, "Name": "a"}
    until(lambda: max(server.epoch for server in one.engine.cluster().servers) > before + 1)
    (taken,) = one.engine.cluster().take_overs
    assert (taken.job, taken.from_server, taken.to_server) == (id, one.name, other.name)
    assert taken.seconds < 2
    assert Happened.TAKEN_OVER in [event.event for event in other.engine.events.of(id)]
    assert Happened.LOST in [event.event for event in one.engine.events.of(id)]
    assert wait_for_state(one.engine, one.engine.submit(CountingJob()), JobState.SUCCESS)
    assert other.errors == []


def test_no_step_is_begun_when_an_answer_comes_after_the_end_of_the_lease(servers: Servers) -> None:
    """That a step was written down is known so late that others have the job."""
    one, other = servers(restores=HELD, lease=LEASE), servers(restores=HELD, start=False)
    id = held_by(one, 4, kind=HeldAndWritten)
    Held.gate.release()
    assert Held.entered.acquire(timeout=20)
    other.engine.start()
    one.list.hold_answers()
    Held.gate.release()
    assert Held.entered.acquire(timeout=20)  # the other one has begun the third step
    one.list.thaw()
    until(lambda: Happened.LOST in [event.event for event in one.engine.events.of(id)])
    assert not Held.entered.acquire(blocking=False)
    Held.gate.release(2)
    assert wait_for_state(other.engine, id, JobState.SUCCESS).content["Done"] == 4


def test_no_step_is_begun_when_the_answer_to_a_claim_comes_after_the_end_of_the_lease(servers: Servers) -> None:
    """Others have the job by then."""
    busy = servers(restores=HELD)
    held_by(busy)
    one, other = servers(restores=HELD, lease=LEASE), servers(restores=HELD, start=False)
    before = max(server.epoch for server in one.engine.cluster().servers)
    one.list.hold_answers()
    id = busy.engine.submit(Held(3))
    wait_for_state(busy.engine, id, JobState.RUNNING)
    other.engine.start()
    assert Held.entered.acquire(timeout=20)
    one.list.thaw()
    until(lambda: max(server.epoch for server in one.engine.cluster().servers) > before + 1)
    assert one.engine.get(id).state is JobState.RUNNING  # type: ignore[union-attr] # at the other one
    assert not Held.entered.acquire(blocking=False)
    Held.gate.release(6)
    assert wait_for_state(other.engine, id, JobState.SUCCESS).content["Done"] == 3


def test_a_job_of_a_dead_server_that_cannot_be_saved_is_gone(servers: Servers) -> None:
    """As after a restart."""
    one, other = servers(lease=LEASE), servers()
    gate = GatedJob()
    gate.serialize = lambda: None  # type: ignore[method-assign, return-value, assignment]
    id = one.engine.submit(gate)
    gate.wait_until_in_step()
    one.list.freeze()
    until(lambda: other.engine.get(id) is None)
    one.list.thaw()
    gate.let_through(3)
    until(lambda: "shutdown" in gate.calls, what=lambda: gate.calls)


def test_an_order_to_a_dead_server_is_carried_out(servers: Servers) -> None:
    """A job that was to be paused is paused, one that was to be canceled has failed."""
    one, other = servers(restores=HELD, concurrent_jobs=2, lease=LEASE), servers(restores={})
    paused, canceled = held_by(one), held_by(one)
    one.list.freeze()
    other.engine.pause(paused)
    other.engine.cancel(canceled)
    wait_for_state(other.engine, paused, JobState.PAUSED)
    assert wait_for_state(other.engine, canceled, JobState.FAILURE).error_code == 37
    one.list.thaw()
    Held.gate.release(6)


def test_no_jobs_forgets_the_list_unless_others_have_it(servers: Servers) -> None:
    one = servers()
    id = one.engine.run(CountingJob()).id
    other = servers(load_jobs=False)
    assert other.engine.ids() == [id]
    for server in (one, other):
        server.engine.stop()
    assert servers(load_jobs=False).engine.ids() == []


def test_jobs_survive_all_servers(servers: Servers) -> None:
    one = servers(restores=HELD, lease=LEASE)
    id = held_by(one)
    waits = one.engine.submit(CountingJob(name="waits"))
    one.list.freeze()  # as a killed one
    late = servers(restores=HELD)
    assert late.engine.ids() == sorted([id, waits])
    wait_for_state(late.engine, waits, JobState.SUCCESS)
    assert Held.entered.acquire(timeout=20)
    Held.gate.release(6)
    wait_for_state(late.engine, id, JobState.SUCCESS)
    one.list.thaw()


def test_a_failed_claim_or_start_is_the_failure_of_the_job(servers: Servers) -> None:
    def broken(payload: dict[str, Any]) -> CountingJob:
        raise OrthancError(9, "as saved")

    one, other = servers(restores={}), servers(start=False, restores={"Held": broken})
    id = one.engine.submit(Held())
    assert Held.entered.acquire(timeout=20)
    second = one.engine.submit(Held())
    other.engine.start()
    view = wait_for_state(one.engine, second, JobState.FAILURE)
    assert (view.error_code, view.error_details) == (9, "as saved")
    assert one.engine.get(id).state is JobState.RUNNING  # type: ignore[union-attr]
    Held.gate.release(3)


@pytest.mark.parametrize("durable", [True, False])
def test_a_job_is_claimed_before_its_submission_returns(servers: Servers, durable: bool) -> None:
    """The job that was handed in is the one that runs."""
    server = servers(start=False)
    insert, database = server.list.insert, server.database

    def slow(new: Any) -> Any:
        row = insert(new)
        database.run(lambda connection: notify(connection, "orthanc_lab_jobs", "ready"))
        until(lambda: (now := server.list.row(row.sequence)) is None or now.state != "Pending")
        return row

    server.list.insert = slow  # type: ignore[method-assign]
    server.engine.start()
    for _ in range(5):
        job = CountingJob(2, durable=durable)
        wait_for_state(server.engine, server.engine.submit(job), JobState.SUCCESS)
        assert job.done == 2


def test_after_the_end_of_an_engine(servers: Servers) -> None:
    one = servers()
    id = one.engine.run(CountingJob()).id
    one.engine.stop()
    assert one.engine.ids() == [id]
    with pytest.raises(OrthancError) as raised:
        one.engine.submit(CountingJob())
    assert raised.value.code == 36


def test_a_job_is_not_to_blame_for_a_database_that_is_away(servers: Servers) -> None:
    """Its step fails for that reason, and it goes on at its last finished step."""
    server = servers(restores={"Failing": FailingJob.restore})
    job = FailingJob(OrthancError(36), at=1)
    view = server.engine.run(job)
    assert view.content["Done"] == 3
    events = [event.event for event in server.engine.events.of(view.id)]
    assert Happened.INTERRUPTED in events
    assert Happened.FAILED not in events


def test_servers_of_one_name_are_told_apart(servers: Servers) -> None:
    one, other = servers("same"), servers("same")
    assert [server.name for server in one.engine.cluster().servers] == ["same", "same (2)"]
    assert [server.is_self for server in other.engine.cluster().servers] == [False, True]


def test_without_a_history(servers: Servers) -> None:
    """A job is forgotten when it has ended; a caller is told that there is nothing to tell."""
    server = servers(history_size=0)
    with pytest.raises(OrthancError) as raised:
        server.engine.run(CountingJob())
    assert raised.value.code == 7
    until(lambda: server.engine.ids() == [])


def test_a_job_is_left_to_a_server_that_may_run_it(servers: Servers) -> None:
    """As one that writes is by a server with ``ReadOnly``."""
    one, other = servers(restores=HELD), servers(leaves=[CountingJob.type])
    held_by(one, steps=1)
    ids = [one.engine.submit(job) for job in (CountingJob(), FailingJob())]
    wait_for_state(other.engine, ids[1], JobState.FAILURE)
    assert other.engine.get(ids[0]).state is JobState.PENDING  # type: ignore[union-attr]
    Held.gate.release()
    wait_for_state(other.engine, ids[0], JobState.SUCCESS)
    assert other.engine.cluster().jobs[ids[0]] == one.name
