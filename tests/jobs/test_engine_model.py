"""The engine against a model of it: any order of commands, steps, failures and crashes.

It runs on the inline executor, where everything happens when the test lets it, and on threads.
"""

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
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from tests.examples import examples
from tests.jobs.doubles import ScriptedJob
from tests.waiting import until

HISTORY = 3
View = tuple[JobState, int, int, int]  # state, priority, progress, error code
PENDING, RUNNING, PAUSED, SUCCESS, FAILURE = (
    JobState.PENDING,
    JobState.RUNNING,
    JobState.PAUSED,
    JobState.SUCCESS,
    JobState.FAILURE,
)


class GatedExecutor(InlineExecutor):
    """Holds a worker before each step of its job, until the test lets it through."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._clock = clock
        self._left: dict[object, int] = {}  # how often a worker may still go on

    def hold(self, turns: int) -> object:
        """Let the worker that calls go on so many times, and no further; return it."""
        worker = self._calling()
        self._left[worker] = turns
        return worker

    def let_through(self, job: GatedJob) -> None:
        """Let the worker of a job go on."""
        del self._left[job.worker]

    def forget(self) -> None:
        """Let the worker that calls, if there is one, look for another job."""
        self._left.pop(self._calling(), None)

    def _calling(self) -> object:
        return next((task for task in self._tasks if task.is_running), None)

    def settle(self) -> None:
        """Let all workers go on until they wait, or are held."""
        now = self._clock.monotonic()
        while ready := [task for task in self._tasks if task.is_ready(now) and self._left.get(task, 1)]:
            for task in ready:
                if task in self._left:
                    self._left[task] -= 1
                task.go_on(now)


class GatedJob(ScriptedJob):
    """A scripted job on a `GatedExecutor`."""

    def __init__(self, executor: GatedExecutor, steps: int, *, done: int = 0, name: str = "") -> None:
        super().__init__(steps, done=done, name=name)
        self.executor = executor
        self.worker: object = None

    def start(self) -> None:
        super().start()
        self.worker = self.executor.hold(1)  # for the look at what was asked meanwhile

    def step(self) -> bool:
        self.executor.hold(1)  # for the move
        return super().step()

    def stop(self, reason: StopReason) -> None:
        super().stop(reason)
        self.executor.forget()


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
    """The rules; how the engine is run is left to the classes below."""

    def make_executor(self) -> Executor:
        """Return the executor of the next engine."""
        raise NotImplementedError

    def make_job(self, steps: int, *, done: int = 0, name: str) -> ScriptedJob:
        """Return a job for the executor."""
        raise NotImplementedError

    def carry_out(self, model: Model, order: str) -> None:
        """Let a running job do its next step."""
        raise NotImplementedError

    def see(self, expected: dict[str, View]) -> None:
        """Check what the engine shows, once nothing happens any more."""
        raise NotImplementedError

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
            job = self.make_job(payload["steps"], done=payload["done"], name=payload["name"])
            restored[int(payload["name"])] = job
            return job

        engine = JobsEngine(
            SqliteJobStore(self.folder / "jobs.sqlite3"),
            FileOutputs(self.folder / "outputs", SystemIdentifiers()),
            self.clock,
            SystemIdentifiers(),
            self.make_executor(),
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
        job = self.make_job(steps, name=str(self.submitted))
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
        self.carry_out(model, order)
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
        self.see(expected)
        assert self.engine.ids() == sorted(expected)
        assert self.engine.counts()[PENDING] == sum(state is PENDING for state, *_ in expected.values())
        assert self.errors == []

    def seen(self) -> dict[str, View]:
        views = self.engine.views()
        return {view.id: (view.state, view.priority, view.progress, view.error_code) for view in views}

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            for model in self.expected.values():
                model.job.orders.put("fail")
            self.engine.stop()
        shutil.rmtree(self.base)


def percent(model: Model) -> int:
    return int(model.done / model.steps * 100 + 0.5)


class InlineMachine(EngineMachine):
    """Without threads: nothing is waited for."""

    def make_executor(self) -> GatedExecutor:
        self.executor = GatedExecutor(self.clock)
        return self.executor

    def make_job(self, steps: int, *, done: int = 0, name: str) -> ScriptedJob:
        return GatedJob(self.executor, steps, done=done, name=name)

    def carry_out(self, model: Model, order: str) -> None:
        assert isinstance(model.job, GatedJob)
        model.job.orders.put(order)
        self.executor.let_through(model.job)

    def see(self, expected: dict[str, View]) -> None:
        self.executor.settle()
        assert self.seen() == expected


class ThreadsMachine(EngineMachine):
    """On threads: a job waits in its step."""

    def make_executor(self) -> Executor:
        return ThreadExecutor(self.clock)

    def make_job(self, steps: int, *, done: int = 0, name: str) -> ScriptedJob:
        return ScriptedJob(steps, done=done, name=name)

    def carry_out(self, model: Model, order: str) -> None:
        # What is shown may be the same before and after: the status is another one.
        entry = next(entry for entry in self.engine._table.entries() if entry.job is model.job)
        before = entry.status
        model.job.orders.put(order)
        until(lambda: entry.status is not before, what="the step does not end")

    def see(self, expected: dict[str, View]) -> None:
        until(lambda: self.seen() == expected, what=lambda: f"{expected} (now {self.seen()})")


TestEngine = InlineMachine.TestCase
TestEngine.settings = settings(examples(40), stateful_step_count=40, deadline=None)
TestEngineOnThreads = ThreadsMachine.TestCase
TestEngineOnThreads.settings = settings(examples(15), stateful_step_count=40, deadline=None)
