"""The answer of the list to a server may come after the news of what happened then, or never."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from orthanc_lab.jobs.shared.records import JobMove, NewJob, SharedRow
from orthanc_lab.jobs.shared.store import Claimed
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from tests.jobs.conftest import wait_for_state
from tests.jobs.doubles import CountingJob, FailingJob, GatedJob
from tests.jobs.shared.conftest import Servers
from tests.waiting import until


def away(*values: Any) -> Any:
    raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE)


def test_a_job_is_claimed_before_its_submission_is_answered(servers: Servers) -> None:
    """It is the one that was submitted which runs, and not one that is made of what was saved of it."""
    server, gate = servers(), GatedJob()
    insert = server.list.insert

    def late(new: NewJob) -> SharedRow | None:
        row: SharedRow | None = insert(new)
        if new.type == GatedJob.type:
            server.engine.submit(CountingJob())  # this wakes the worker
            gate.wait_until_in_step()
        return row

    server.list.insert = late  # type: ignore[attr-defined] # the name is looked up there
    id = server.engine.submit(gate)
    gate.let_through(3)
    wait_for_state(server.engine, id, JobState.SUCCESS)
    assert "shutdown" not in gate.calls
    assert server.errors == []


@pytest.mark.parametrize("submitter", [0, 1], ids=["own", "of another"])
def test_a_job_is_commanded_before_its_claim_is_answered(servers: Servers, submitter: int) -> None:
    runner, other = servers(start=False), servers()
    claim = runner.list.claim
    blocking = GatedJob()
    other.engine.submit(blocking)
    blocking.wait_until_in_step()  # no worker is free there

    def late(epoch: int, kinds: Any) -> Claimed | None:
        claimed: Claimed | None = claim(epoch, kinds)
        if claimed is not None and claimed.row.fence == 1 and claimed.row.id in wanted:
            assert other.engine.cancel(claimed.row.id)
            runner.engine.ids()  # looks at the list
        return claimed

    wanted: list[str] = []
    runner.list.claim = late  # type: ignore[attr-defined] # the name is looked up there
    if submitter:
        wanted.append(other.engine.submit(CountingJob()))
        runner.engine.start()
    else:
        runner.engine.start()
        job = GatedJob()
        first = runner.engine.submit(job)
        job.wait_until_in_step()
        wanted.append(runner.engine.submit(CountingJob(), priority=1))
        job.let_through(3)
        wait_for_state(runner.engine, first, JobState.SUCCESS)
    assert wait_for_state(other.engine, wanted[0], JobState.FAILURE).error_code == ErrorCode.CANCELED_JOB
    id = runner.engine.submit(CountingJob())  # the worker goes on
    wait_for_state(runner.engine, id, JobState.SUCCESS)
    blocking.let_through(3)


def test_a_job_is_taken_over_although_that_cannot_be_noted(servers: Servers) -> None:

    def restore(payload: dict[str, Any]) -> CountingJob:
        return CountingJob(payload["steps"], done=payload["done"])

    one, other = servers(), servers(start=False, restores={GatedJob.type: restore})
    gate = GatedJob()
    id = one.engine.submit(gate)
    gate.wait_until_in_step()
    other.list.taken_over = away  # type: ignore[attr-defined] # the name is looked up there
    other.engine.start()
    one.list.freeze()
    wait_for_state(other.engine, id, JobState.SUCCESS)


@pytest.mark.parametrize("error", [None, OrthancError(ErrorCode.NETWORK_PROTOCOL)], ids=["finishes", "fails"])
def test_a_run_that_was_lost_does_not_end_that_of_another_server(servers: Servers, error: OrthancError | None) -> None:
    """Not even if the server has not heard of its loss, and is told with the refusal of what it writes."""

    class Ending(GatedJob):
        def step(self) -> bool:
            more = super().step()
            if error is not None:
                raise error
            return more

    goes_on = GatedJob(1)
    one, onlooker = servers(), servers(restores={})
    other = servers(start=False, restores={GatedJob.type: lambda payload: goes_on})
    job = Ending(1)
    id = one.engine.submit(job)
    job.wait_until_in_step()
    one.list.changes = away  # type: ignore[attr-defined] # the name is looked up there
    other.list.leave(one.engine._keeper.epoch)
    other.engine.start()
    goes_on.wait_until_in_step()
    job.let_through()
    until(lambda: "shutdown" in job.calls)
    seen = onlooker.engine.get(id)
    assert seen is not None
    assert seen.state is JobState.RUNNING
    goes_on.let_through()
    wait_for_state(other.engine, id, JobState.SUCCESS)


@pytest.mark.parametrize("refused", ["outcome", "position"])
def test_a_job_fails_whose_move_the_list_never_takes(servers: Servers, refused: str) -> None:
    server = servers(start=False)
    write = server.list.write

    def choosy(move: JobMove) -> SharedRow | None:
        if move.state == "Success" if refused == "outcome" else move.position is not None:
            raise OrthancError(ErrorCode.DATABASE, "PostgreSQL: value too long")
        row: SharedRow | None = write(move)
        return row

    server.list.write = choosy  # type: ignore[attr-defined] # the name is looked up there
    server.engine.start()
    id = server.engine.submit(CountingJob() if refused == "outcome" else FailingJob())
    status = wait_for_state(server.engine, id, JobState.FAILURE)
    assert (status.error_code, status.error_details) == (ErrorCode.DATABASE, "PostgreSQL: value too long")


def test_who_waits_for_a_look_that_fails_gets_no_old_answer(servers: Servers) -> None:
    server = servers()
    looking, fails = threading.Event(), threading.Event()

    def late(position: int | None) -> Any:
        looking.set()
        assert fails.wait(20)
        away()

    server.list.changes = late  # type: ignore[attr-defined] # the name is looked up there
    assert looking.wait(20)  # the engine itself
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(server.engine.ids())
        except OrthancError as error:
            answers.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    fails.set()
    for thread in threads:
        thread.join(20)
    assert answers == [ErrorCode.DATABASE_UNAVAILABLE] * 5


def test_a_server_does_not_end_its_own_lease(servers: Servers) -> None:
    """Late as it is: as long as nobody else does, the next renewal is in time."""
    server = servers(start=False)
    mine, dead = (server.list.register(name, name, "").epoch for name in "ab")
    server.database.run(
        lambda connection: connection.execute("UPDATE servers SET lease_until = now() - interval '1 s'")
    )
    assert server.list.end_leases(mine) == []
    assert server.list.renew(mine, "")
    assert not server.list.renew(dead, "")


def test_all_jobs_are_forgotten_if_the_other_servers_are_dead(servers: Servers) -> None:
    server = servers()
    server.engine.submit(CountingJob())
    until(lambda: server.engine.counts()[JobState.SUCCESS])
    server.engine.stop()
    list = servers(start=False).list
    dead, mine = (list.register(name, name, "").epoch for name in "ab")
    assert not list.clear(mine)
    query = "UPDATE servers SET lease_until = now() - interval '1 s' WHERE epoch = %s"
    servers.made[1].database.run(lambda connection: connection.execute(query, (dead,)))
    assert list.clear(mine)
    assert list.changes(None).rows == []


def test_a_job_is_lost_while_it_is_commanded(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has it then, the command is carried out."""
    runner, other = servers(), servers(start=False)
    job = GatedJob()
    id = runner.engine.submit(job)
    job.wait_until_in_step()
    mirror, epoch = runner.engine._mirror, runner.engine._keeper.epoch
    find = mirror.table.get
    found: list[str] = []

    def find_and_lose(wanted: str) -> Any:
        entry = find(wanted)
        if not found and not mirror._looking.locked():
            found.append(wanted)
            other.list.leave(epoch)
            mirror.refresh()
        return entry

    monkeypatch.setattr(mirror.table, "get", find_and_lose)
    assert runner.engine.cancel(id)
    job.let_through(3)
    wait_for_state(runner.engine, id, JobState.FAILURE)
