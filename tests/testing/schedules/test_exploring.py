"""Scenarios under many schedules: bugs are found, shrunk, and fail again from their text."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial

import pytest

from orthanc_lab import testing
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing import ScheduleError, Simulation
from orthanc_lab.testing.schedules.counting_job import CountingJob
from orthanc_lab.testing.schedules.exploring import Scenario, UnsteadyScenarioError
from orthanc_lab.testing.schedules.text import read_schedule
from tests.testing.schedules.planted import PLANTED, Planted


def failure(scenario: Scenario, schedules: int = 100, **options: object) -> ScheduleError:
    with pytest.raises(ScheduleError) as caught:
        testing.explore(scenario, schedules, **options)  # type: ignore[arg-type] # options of several types
    return caught.value


# -- bugs that were planted -----------------------------------------------------------------


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found_and_shrunk(bug: Planted) -> None:
    scenario = partial(bug.scenario, bug.engine)
    found = failure(scenario, bug.schedules)
    assert len(read_schedule(found.schedule)) <= bug.lines
    with pytest.raises(type(found.__cause__)):
        testing.replay(scenario, found.schedule)
    with pytest.raises(type(found.__cause__)):
        testing.explore(scenario, replay=found.schedule)


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_the_engine_has_none_of_them(bug: Planted, request: pytest.FixtureRequest) -> None:
    schedules = 5000 if request.config.getoption("--long") else 100
    assert testing.explore(partial(bug.scenario, JobsEngine), schedules).schedules == schedules


def test_a_schedule_says_what_its_lines_do_to_jobs() -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine(workers=1)
        ids = [jobs.submit(CountingJob(3, name)) for name in ("one", "two")]
        simulation.will("pause", lambda: jobs.engine.pause(ids[1]))
        simulation.may("crash", jobs.crash)
        simulation.run()
        assert jobs.state(ids[1]) is not JobState.PAUSED

    found = failure(scenario)
    assert found.schedule == "orthanc-lab schedule 1\npause  # job 2: Pending → Paused"
    with pytest.raises(AssertionError):
        testing.replay(scenario, found.schedule)


# -- what a scenario may use ------------------------------------------------------------------


def test_what_was_acknowledged_survives_a_crash_at_any_moment() -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine(workers=simulation.choose("workers", [1, 2, 3]))
        ids: list[str] = []
        paused: list[str] = []

        def pause() -> None:
            if ids and jobs.engine.pause(ids[0]):
                paused.append(ids[0])

        for number in range(3):
            simulation.will(f"submit {number}", lambda: ids.append(jobs.submit(CountingJob(4))))
        simulation.will("pause", pause)
        simulation.may("crash", jobs.crash, times=3)
        simulation.run()
        assert len(ids) == 3
        for id in ids:
            ended = JobState.PAUSED if id in paused and jobs.state(id) is JobState.PAUSED else JobState.SUCCESS
            assert jobs.state(id) is ended
            if ended is JobState.SUCCESS:
                assert jobs.view(id).content["Done"] == 4

    assert testing.explore(scenario, 150).schedules == 150


def test_time_comes_into_it() -> None:
    seen = set()

    def scenario(simulation: Simulation) -> None:
        said: list[str] = []

        def client(name: str, pause: float) -> Iterator[float]:
            yield pause
            said.append(name)

        simulation.client("slow", client("slow", 5))  # type: ignore[arg-type] # what it yields
        simulation.client("fast", client("fast", 2))  # type: ignore[arg-type] # what it yields
        simulation.will("now", lambda: said.append("now"))
        simulation.run(seconds=10)
        assert simulation.clock.monotonic() == 5
        seen.add(tuple(said))

    testing.explore(scenario, 100)
    assert {words.index("now") for words in seen} == {0, 1, 2}
    assert all(words.index("fast") < words.index("slow") or words[0] != "fast" for words in seen)


def test_a_run_ends_where_it_is_told_to() -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine()
        id = jobs.submit(CountingJob(10))
        simulation.run(lambda: jobs.view(id).progress >= 50)
        assert jobs.view(id).progress == 50
        jobs.engine.pause(id)
        simulation.run()
        with pytest.raises(AssertionError, match="Nothing goes on any more"):
            simulation.run(lambda: jobs.state(id) is JobState.SUCCESS)

    testing.explore(scenario, 20)


def test_errors_inside_of_the_engine_fail_the_scenario() -> None:
    class Broken(CountingJob):
        def step(self) -> bool:
            raise ZeroDivisionError

    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine()
        jobs.submit(Broken())
        simulation.run()

    found = failure(scenario)
    assert isinstance(found.__cause__, BaseExceptionGroup)
    assert read_schedule(found.schedule) == []


def test_a_whole_server_takes_part() -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server()
        made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
        answer = server.session.post(
            f"{server.url}/studies/{made['ParentStudy']}/archive", json={"Asynchronous": True}
        ).json()
        address = f"{server.url}{answer['Path']}"
        simulation.will("cancel", lambda: server.session.post(f"{address}/cancel"))
        simulation.may("crash", server.crash)
        simulation.run()
        assert server.session.get(address).json()["State"] in ("Success", "Failure")

    assert testing.explore(scenario, 10).schedules == 10


# -- what goes wrong --------------------------------------------------------------------------


def test_a_scenario_that_depends_on_something_else() -> None:
    runs = itertools.count()

    def scenario(simulation: Simulation) -> None:
        assert next(runs) != 5

    with pytest.raises(UnsteadyScenarioError, match="it depends on something else"):
        testing.explore(scenario, 100)


def test_a_scenario_without_an_end() -> None:
    def for_ever() -> Iterator[float]:
        while True:
            yield 0

    def scenario(simulation: Simulation) -> None:
        simulation.client("busy", for_ever())  # type: ignore[arg-type] # what it yields
        simulation.run()

    found = failure(scenario, most_moves=100)
    assert "still goes on" in str(found)


def test_a_failure_that_pytest_raises() -> None:
    def scenario(simulation: Simulation) -> None:
        with pytest.raises(ValueError, match="never"):
            pass

    assert read_schedule(failure(scenario).schedule) == []


def test_a_skipped_test_is_skipped() -> None:
    with pytest.raises(pytest.skip.Exception):
        testing.explore(lambda simulation: pytest.skip("not here"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A schedule begins with the line"),
        ("submit\ncancel", "A schedule begins with the line"),
        ("orthanc-lab schedule 2\nyes", "is of version 2; this orthanc-lab reads version 1"),
        ("orthanc-lab schedule 1\nmaybe", "Line 1 of the schedule is 'maybe', but only these can go on: yes, no"),
        ("orthanc-lab schedule 1\nyes\nno\nno", "ended before line 3 of the schedule: no"),
        ("orthanc-lab schedule 1\nyes × 2", "Line 1 of the schedule is 'yes', but only these can go on: no"),
        ("orthanc-lab schedule 1\n" + "x" * (1 << 20), "at most"),
    ],
)
def test_a_schedule_that_does_not_fit(text: str, message: str) -> None:
    def scenario(simulation: Simulation) -> None:
        simulation.will("yes", lambda: None)
        simulation.will("no", lambda: None)
        simulation.run()

    with pytest.raises(ValueError, match=message):
        testing.replay(scenario, text)


def test_no_schedules_are_no_test() -> None:
    with pytest.raises(ValueError, match="At least one schedule must be run, not 0"):
        testing.explore(lambda simulation: None, 0)
    with pytest.raises(ValueError, match="is of version 2"):
        testing.explore(lambda simulation: None, seed="2:1")


def test_a_long_line_is_read_at_once() -> None:
    begin = time.process_time()
    with pytest.raises(ValueError, match="only these can go on"):
        testing.replay(
            lambda simulation: simulation.may("crash", int) or simulation.run(),
            "orthanc-lab schedule 1\n" + "x × " * 100_000 + "x",
        )
    assert time.process_time() - begin < 5


def test_comments_and_blanks_do_not_matter() -> None:
    said: list[str] = []

    def scenario(simulation: Simulation) -> None:
        simulation.will("yes", lambda: said.append("yes"))
        simulation.will("no", lambda: said.append("no"))
        simulation.run()

    testing.replay(scenario, "\n# found on Monday\n\n  orthanc-lab schedule 1 # ours\n no x 1   # first\n\n yes\n")
    assert said == ["no", "yes"]


@pytest.mark.parametrize(
    "name", ["", " ", "two\nlines", "cancel × 3", "cancel x 3", "# cancel", "a # b", "x" * 81, "a "]
)
def test_a_name_that_cannot_stand_in_a_schedule(name: str) -> None:
    def scenario(simulation: Simulation) -> None:
        with pytest.raises(ValueError, match="cannot stand in a schedule"):
            simulation.will(name, lambda: None)

    testing.explore(scenario, 1)


def test_two_of_the_same_name() -> None:
    def scenario(simulation: Simulation) -> None:
        simulation.will("cancel", lambda: None)
        for name in ("cancel", "time", "end"):
            with pytest.raises(ValueError, match=f"There is already a '{name}'"):
                simulation.may(name, lambda: None)
        with pytest.raises(ValueError, match="must be one or more, and differ"):
            simulation.choose("size", [])

    testing.explore(scenario, 1)


def test_a_crash_inside_a_step() -> None:
    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine(workers=1)

        class Crashing(CountingJob):
            def step(self) -> bool:
                with pytest.raises(RuntimeError, match="jobs-worker-0 is in the middle of a step"):
                    jobs.crash()
                return False

        id = jobs.submit(Crashing())
        simulation.run()
        assert jobs.state(id) is JobState.SUCCESS

    testing.explore(scenario, 1)


def test_a_job_that_fails_is_no_error_of_the_engine() -> None:
    class Failing(CountingJob):
        def step(self) -> bool:
            raise OrthancError(9)

    def scenario(simulation: Simulation) -> None:
        jobs = simulation.jobs_engine()
        id = jobs.submit(Failing())
        simulation.run()
        assert jobs.view(id).error_code == 9

    testing.explore(scenario, 5)
