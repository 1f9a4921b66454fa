"""The jobs engine under many schedules of all that clients and the outside may do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from orthanc_lab import testing
from orthanc_lab.jobs.ports import Checkpoint, JobOutput, NotReady
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing import Simulation
from orthanc_lab.testing.schedules.counting_job import CountingJob
from orthanc_lab.testing.schedules.engine import SimulatedEngine

PENDING, RUNNING, PAUSED, SUCCESS, FAILURE = (
    JobState.PENDING,
    JobState.RUNNING,
    JobState.PAUSED,
    JobState.SUCCESS,
    JobState.FAILURE,
)


@pytest.fixture
def schedules(request: pytest.FixtureRequest) -> int:
    return 5000 if request.config.getoption("--long") else 80


class BusyJob(CountingJob):
    """Now and then waits for somebody else, has to be written down before it goes on, or fails; leaves an output."""

    type = "Busy"
    fails_at = -1

    def __init__(self, steps: int = 10, name: str = "", *, done: int = 0) -> None:
        super().__init__(steps, name, done=done)
        self._waited = False

    def step(self) -> bool | NotReady | Checkpoint:
        if self.done % 3 == 1 and not self._waited:
            self._waited = True
            return NotReady(2.5, lambda wake: None)
        self._waited = False
        if self.done == self.fails_at:
            raise OrthancError(9)
        more = super().step()
        return Checkpoint() if more and self.done % 4 == 0 else more

    def outputs(self) -> Mapping[str, JobOutput]:
        return {"archive": JobOutput(self.name, "text/plain", "a.txt", self.name.encode())}


class FailingJob(BusyJob):
    type = "FailingBusy"
    fails_at = 2


class Commands:
    """Sends commands to jobs, and notes what they were answered."""

    def __init__(self, simulation: Simulation, jobs: SimulatedEngine) -> None:
        self.jobs = jobs
        self.submitted: list[str] = []
        self.deleted: list[str] = []
        self.simulation = simulation

    def submit(self, job: CountingJob, priority: int) -> None:
        self.submitted.append(self.jobs.submit(job, priority))

    def send(self, verb: str, number: int) -> None:
        if number >= len(self.submitted):
            return
        id = self.submitted[number]
        known = self.jobs.engine.get(id)
        before = known.state if known else None
        done: bool = getattr(self.jobs.engine, verb)(id)
        now = self.jobs.engine.get(id)
        assert done is EXPECTED[verb](before), (verb, before)
        if verb == "delete" and done:
            self.deleted.append(id)
            assert now is None
        elif done and verb == "cancel" and before in (PENDING, PAUSED):
            assert now is not None
            assert (now.state, now.error_code) == (FAILURE, 37)


EXPECTED: dict[str, Callable[[JobState | None], bool]] = {
    "cancel": lambda state: state is not None,
    "pause": lambda state: state is not None,
    "resume": lambda state: state is PAUSED,
    "resubmit": lambda state: state is FAILURE,
    "delete": lambda state: state in (SUCCESS, FAILURE),
}


def all_that_may_happen(simulation: Simulation) -> None:
    jobs = simulation.jobs_engine(BusyJob, FailingJob, workers=simulation.choose("workers", [2, 1, 3]))
    commands = Commands(simulation, jobs)
    for number in range(4):
        kind = FailingJob if number == 2 else BusyJob
        simulation.will(
            f"submit {number}",
            lambda kind=kind, number=number: commands.submit(kind(5, str(number)), number % 2),
        )
    for verb in EXPECTED:
        for number in range(2):
            simulation.may(f"{verb} {number}", lambda verb=verb, number=number: commands.send(verb, number), times=2)
    simulation.may("crash", jobs.crash, times=2)
    simulation.run(seconds=1000)
    check_the_end(commands)


def check_the_end(commands: Commands) -> None:
    engine = commands.jobs.engine
    views = {view.id: view for view in engine.views()}
    assert sorted(views) == sorted(set(commands.submitted) - set(commands.deleted))
    assert engine.counts() == {state: sum(view.state is state for view in views.values()) for state in JobState}
    kept = 0
    for view in views.values():
        assert view.state in (SUCCESS, FAILURE, PAUSED)
        if view.state is SUCCESS:
            assert (view.content["Done"], view.progress, view.error_code) == (5, 100, 0)
            output = engine.output(view.id, "archive")
            kept += output is not None
            assert output is None or output.content == view.content["Name"].encode()
        elif view.state is FAILURE:
            assert view.error_code in (37, 9)
    assert kept <= 1  # MediaArchiveSize


def check_the_order(jobs: SimulatedEngine) -> None:
    """Nobody of a higher priority waits while a job is taken, and no step is done twice or left out."""
    waiting: dict[str, int] = {}
    steps: dict[str, int] = {}
    for event in jobs.engine.events.since():
        if event.event is Happened.PICKED:
            assert event.priority == max(waiting.values())
        if event.after is PENDING:
            waiting[event.job] = event.priority
        else:
            waiting.pop(event.job, None)
        if event.event in (Happened.STEPPED, Happened.CHECKPOINTED, Happened.FINISHED, Happened.FAILED):
            assert event.step == steps.get(event.job, 0) + 1
            steps[event.job] = event.step
        elif event.event is Happened.RESUBMIT:
            steps[event.job] = 0


def test_all_that_may_happen(schedules: int) -> None:
    testing.explore(all_that_may_happen, schedules)


def test_the_order_of_priorities_and_of_steps(schedules: int) -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine(BusyJob, workers=2)
        commands = Commands(simulation, jobs)
        for number in range(5):
            simulation.will(
                f"submit {number}", lambda number=number: commands.submit(BusyJob(3, str(number)), number % 3)
            )
        for verb in ("pause", "resume", "cancel", "resubmit"):
            simulation.may(f"{verb} 0", lambda verb=verb: commands.send(verb, 0), times=3)
        simulation.run(seconds=1000)
        check_the_order(jobs)

    testing.explore(scenario, schedules)


def test_who_waits_for_a_job_gets_its_end(schedules: int) -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine(BusyJob, FailingJob, workers=1)
        ended: dict[str, Any] = {}

        def run(kind: type[BusyJob]) -> None:
            try:
                ended[kind.type] = jobs.engine.run(kind(4)).state
            except OrthancError as error:
                ended[kind.type] = error.code

        for kind in (BusyJob, FailingJob):
            simulation.client(kind.type, lambda kind=kind: run(kind))
        simulation.may("cancel", lambda: [jobs.engine.cancel(id) for id in jobs.engine.ids()])
        simulation.run()
        assert ended[BusyJob.type] in (SUCCESS, 37)
        assert ended[FailingJob.type] in (9, 37)

    testing.explore(scenario, schedules // 3)
