"""The engine against a model of it: any order of commands, steps, failures and crashes."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from tests.jobs.doubles import ScriptedJob
from tests.waiting import until

HISTORY = 3
PENDING, RUNNING, PAUSED, SUCCESS, FAILURE = (
    JobState.PENDING,
    JobState.RUNNING,
    JobState.PAUSED,
    JobState.SUCCESS,
    JobState.FAILURE,
)


@dataclass
class Model:
    """What is expected of one job."""

    number: int  # order of submission
    priority: int
    steps: int
    state: JobState = PENDING
    done: int = 0
    arrival: int = 0  # in the line of those that wait
    progress: int = 0
    code: int = 0
    saved_code: int = 0  # a job that is picked shows 0; that is on disk with its next step or command
    pausing: bool = False
    canceling: bool = False
    job: ScriptedJob = field(default_factory=lambda: ScriptedJob(1))

    def change(self, state: JobState) -> None:
        self.state, self.pausing, self.canceling = state, False, False


class EngineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="jobs-model-"))
        self.lives = 0
        self.clock = ManualClock()
        self.expected: dict[str, Model] = {}
        self.history: list[str] = []  # oldest completion first
        self.gone: list[str] = []
        self.arrivals = 0
        self.submitted = 0
        self.errors: list[BaseException] = []

    @initialize(workers=st.integers(1, 3))
    def begin(self, workers: int) -> None:
        self.workers = workers
        self.engine = self.make_engine()

    def make_engine(self) -> JobsEngine:
        restored: dict[int, ScriptedJob] = {}

        def restore(payload: dict[str, Any]) -> ScriptedJob:
            job = ScriptedJob(payload["steps"], done=payload["done"], name=payload["name"])
            restored[int(payload["name"])] = job
            return job

        engine = JobsEngine(
            self.folder / "jobs.sqlite3",
            self.folder / "outputs",
            self.clock,
            SystemIdentifiers(),
            restores={"Scripted": restore},
            concurrent_jobs=self.workers,
            history_size=HISTORY,
            on_error=self.errors.append,
        )
        for model in self.expected.values():
            model.job = restored.get(model.number, model.job)
        self.restored = restored
        engine.start()
        return engine

    @property
    def folder(self) -> Path:
        path = self.base / str(self.lives)
        path.mkdir(exist_ok=True)
        return path

    # -- the model ---------------------------------------------------------------

    def join(self, model: Model) -> None:
        self.arrivals += 1
        model.arrival = self.arrivals

    def pick(self) -> None:
        """Let the free workers take the jobs whose turn it is."""
        while sum(model.state is RUNNING for model in self.expected.values()) < self.workers:
            waiting = [model for model in self.expected.values() if model.state is PENDING]
            if not waiting:
                return
            model = min(waiting, key=lambda model: (-model.priority, model.arrival))
            model.change(RUNNING)
            model.code = 0

    def complete(self, id: str) -> None:
        self.history.append(id)
        while len(self.history) > HISTORY:
            self.gone.append(self.history.pop(0))
            del self.expected[self.gone[-1]]

    def fail(self, id: str, code: int) -> None:
        self.expected[id].change(FAILURE)
        self.expected[id].code = self.expected[id].saved_code = code
        self.complete(id)

    # -- what happens ------------------------------------------------------------

    def draw(self, data: st.DataObject) -> str:
        """Choose a job, now and then one that is gone."""
        gone = self.gone[-1:] or ["nope"]
        return data.draw(st.sampled_from([*sorted(self.expected, key=lambda id: self.expected[id].number), *gone]))

    @rule(priority=st.integers(-2, 2), steps=st.integers(1, 3))
    def submit(self, priority: int, steps: int) -> None:
        self.clock.advance(1)
        self.submitted += 1
        job = ScriptedJob(steps, name=str(self.submitted))
        id = self.engine.submit(job, priority)
        model = Model(self.submitted, priority, steps, job=job)
        self.expected[id] = model
        self.join(model)
        self.pick()

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = self.draw(data)
        self.clock.advance(1)
        assert self.engine.cancel(id) is (id in self.expected)
        model = self.expected.get(id)
        if model is None:
            return
        if model.state is RUNNING:
            model.canceling, model.saved_code = True, 0
        elif model.state in (PENDING, PAUSED):
            self.fail(id, 37)

    @rule(data=st.data())
    def pause(self, data: st.DataObject) -> None:
        id = self.draw(data)
        self.clock.advance(1)
        assert self.engine.pause(id) is (id in self.expected)
        model = self.expected.get(id)
        if model is None:
            return
        if model.state is RUNNING:
            model.pausing, model.saved_code = True, 0
        elif model.state is PENDING:
            model.change(PAUSED)

    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        id = self.draw(data)
        self.clock.advance(1)
        model = self.expected.get(id)
        possible = model is not None and model.state is PAUSED
        assert self.engine.resume(id) is possible
        if model is not None and possible:
            model.change(PENDING)
            self.join(model)
            self.pick()

    @rule(data=st.data())
    def resubmit(self, data: st.DataObject) -> None:
        id = self.draw(data)
        self.clock.advance(1)
        model = self.expected.get(id)
        possible = model is not None and model.state is FAILURE
        assert self.engine.resubmit(id) is possible
        if model is not None and possible:
            # After a restart the job was made again when it was resubmitted.
            model.job = self.restored.get(model.number, model.job)
            model.done = 0
            model.change(PENDING)
            self.history.remove(id)
            self.join(model)
            self.pick()

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        id = self.draw(data)
        model = self.expected.get(id)
        possible = model is not None and model.state in (SUCCESS, FAILURE)
        assert self.engine.delete(id) is possible
        if possible:
            del self.expected[id]
            self.history.remove(id)
            self.gone.append(id)

    @precondition(lambda self: any(model.state is RUNNING for model in self.expected.values()))
    @rule(order=st.sampled_from(["go", "go", "go", "fail"]), data=st.data())
    def step(self, order: str, data: st.DataObject) -> None:
        self.clock.advance(1)
        id = data.draw(st.sampled_from([id for id, model in self.expected.items() if model.state is RUNNING]))
        model = self.expected[id]
        # What is shown may be the same before and after: the status is another one.
        entry = self.engine._table.get(id)
        before = entry and entry.status
        model.job.orders.put(order)
        until(lambda: entry is None or entry.status is not before, what="the end of the step")
        if order == "fail":
            model.progress = percent(model)
            self.fail(id, 9)
        else:
            model.done += 1
            model.progress = percent(model)
            model.code = model.saved_code = 0
            if model.done == model.steps:
                model.change(SUCCESS)
                self.complete(id)
            elif model.pausing:
                model.change(PAUSED)
            elif model.canceling:
                self.fail(id, 37)
        self.pick()

    @rule()
    def crash(self) -> None:
        """Go on with the files as a killed process would have left them."""
        self.clock.advance(1)  # completions at the same moment have no order after a restart
        old, before = self.engine, self.folder
        running = [model.job for model in self.expected.values() if model.state is RUNNING]
        self.lives += 1
        for path in before.glob("jobs.sqlite3*"):
            shutil.copy(path, self.folder / path.name)
        self.expect_a_restart()
        self.engine = self.make_engine()
        for job in running:
            job.orders.put("fail")
        old.stop()

    def expect_a_restart(self) -> None:
        for id, model in sorted(self.expected.items(), key=lambda item: item[1].number):
            if model.state in (RUNNING, PENDING, PAUSED):
                model.progress = percent(model)
            if model.state is RUNNING and model.pausing:
                model.change(PAUSED)
            elif model.state is RUNNING and model.canceling:
                self.fail(id, 37)
            elif model.state in (RUNNING, PENDING):
                model.change(PENDING)
                model.code = model.saved_code
                self.join(model)
        self.pick()

    # -- what must hold ----------------------------------------------------------

    @invariant()
    def the_engine_is_as_expected(self) -> None:
        if not hasattr(self, "engine"):
            return
        expected = {
            id: (model.state, model.priority, model.progress, model.code) for id, model in self.expected.items()
        }

        def seen() -> dict[str, tuple[JobState, int, int, int]]:
            views = self.engine.views()
            return {view.id: (view.state, view.priority, view.progress, view.error_code) for view in views}

        until(lambda: seen() == expected, what=lambda: f"{expected} (now {seen()})")
        assert self.engine.ids() == sorted(expected)
        assert self.engine.counts()[PENDING] == sum(state is PENDING for state, *_ in expected.values())
        assert self.errors == []

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            for model in self.expected.values():
                model.job.orders.put("fail")
            self.engine.stop()
        shutil.rmtree(self.base)


def percent(model: Model) -> int:
    return int(model.done / model.steps * 100 + 0.5)


TestEngine = EngineMachine.TestCase
TestEngine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
