"""A process that dies before any of its writes: the job of the next one ends well, and nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.kinds import restores
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.storage.records import Origin
from tests.modification.collection import PATIENT, STUDY, file_of, instance
from tests.modification.rewriting_jobs import KINDS, anonymization, contents, tools_at

STORAGE_WRITES = frozenset(
    {"store", "store_all", "store_made", "delete", "delete_all", "set_metadata", "set_label", "refresh_parents"}
)
JOB_WRITES = frozenset({"write"})


class Death(BaseException):
    """The process was killed; nothing it does from now on reaches the disk."""


class Life:
    """One process: it dies before a write, or lives on."""

    def __init__(self, writes: int | None = None) -> None:
        self._left = writes

    def before_a_write(self) -> None:
        if self._left is not None:
            if self._left <= 0:
                raise Death
            self._left -= 1


class Mortal:
    """Passes calls on to a store, as long as the process lives."""

    def __init__(self, store: Any, life: Life, writes: frozenset[str]) -> None:
        self._store, self._life, self._writes = store, life, writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in self._writes:
            return method

        def write(*arguments: Any, **options: Any) -> Any:
            self._life.before_a_write()
            return method(*arguments, **options)

        return write


class Ticking(ManualClock):
    """A clock by which each look takes some time, so that notes of running jobs are rare."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def monotonic(self) -> float:
        self.advance(self._seconds)
        return super().monotonic()


class World:
    """What outlives a process: the storage and the list of jobs."""

    def __init__(self, folder: Path, *, seconds: float = 0) -> None:
        self.tools = tools_at(folder / "storage")
        self._jobs = SqliteJobStore(None)
        self._outputs = FileOutputs(folder / "outputs", SystemIdentifiers())
        self._seconds = seconds

    def process(self, life: Life) -> tuple[JobsEngine, InlineExecutor, JobTools]:
        """Return the engine of a new process, which goes on with the jobs in the list."""
        clock = Ticking(self._seconds)
        executor = InlineExecutor(clock)
        storage: Any = Mortal(self.tools.storage, life, STORAGE_WRITES)
        tools = replace(self.tools, storage=storage, executor=executor)
        jobs: Any = Mortal(self._jobs, life, JOB_WRITES)
        options = {"restores": restores(tools), "concurrent_jobs": 1, "on_error": lambda error: None}
        engine = JobsEngine(jobs, self._outputs, clock, SystemIdentifiers(), executor, **options)
        engine.start()
        return engine, executor, tools

    def ended(self) -> JobView:
        """Let a process that is not killed end all jobs; return the one job."""
        engine, executor, _ = self.process(Life())
        executor.run()
        (view,) = engine.views()
        return view


@cache
def undisturbed(kind: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a job that nothing disturbs leaves behind, and its content."""
    world = World(folder)
    job = KINDS[kind][0](world.tools)
    while job.step():
        pass
    found = contents(world.tools.storage)
    world.tools.storage.close()
    return found, job.content()


@pytest.mark.parametrize("seconds", [0, 1], ids=["each step noted", "rarely noted"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_before_any_write(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, seconds: float
) -> None:
    wanted, content = undisturbed(kind, tmp_path_factory.getbasetemp() / f"undisturbed-{kind}")
    for writes in count(1):  # the first one is the submission
        world = World(tmp_path / str(writes), seconds=seconds)
        died = _live(world, Life(writes), KINDS[kind][0])
        view = world.ended()
        assert view.state is JobState.SUCCESS, f"killed before write {writes}: {view}"
        assert contents(world.tools.storage) == wanted, f"killed before write {writes}"
        assert view.content == content
        world.tools.storage.close()
        if not died:
            return


def _live(world: World, life: Life, make: Callable[[JobTools], Any]) -> bool:
    """Submit a job and let it run; tell whether the process died over it."""
    engine, executor, tools = world.process(life)
    engine.submit(make(tools))
    try:
        executor.run()
    except Death:
        return True
    return False


@pytest.mark.parametrize("restarted", [False, True])
def test_canceled_while_sources_are_deleted_and_resubmitted(tmp_path: Path, restarted: bool) -> None:
    world = World(tmp_path)
    storage = world.tools.storage
    for number in range(3, 45):  # more than one step deletes
        storage.store(file_of(instance(f"1.5.1.1.{number}")), Origin(remote_ip="", http_username=""))
    before, sources = (len(storage.descendants(id, Level.INSTANCE)) for id in (PATIENT, STUDY))
    engine, executor, tools = world.process(Life())
    id = engine.submit(anonymization(tools))
    while len(storage.descendants(STUDY, Level.INSTANCE)) == sources:
        executor.turn()
    assert engine.cancel(id)
    executor.run()
    assert engine.get(id).state is JobState.FAILURE  # type: ignore[union-attr] # known
    assert 0 < len(storage.descendants(STUDY, Level.INSTANCE)) < sources
    if restarted:
        engine, executor, _ = world.process(Life())
    assert engine.resubmit(id)
    executor.run()
    (view,) = engine.views()
    assert view.state is JobState.SUCCESS, view
    assert len(storage.descendants(view.content["ID"], Level.INSTANCE)) == sources
    assert len(storage.descendants(PATIENT, Level.INSTANCE)) == before - sources
    storage.close()


def test_a_deletion_that_fails_and_is_resubmitted(tmp_path: Path) -> None:
    world = World(tmp_path)

    class Full(Mortal):
        """A storage whose disk is full once, in the middle of a deletion."""

        is_full = True

        def delete_all(self, ids: Sequence[str]) -> None:
            if self.is_full:
                self.is_full = False
                self._store.delete_all(ids[:2])
                raise OrthancError(ErrorCode.FULL_STORAGE)
            self._store.delete_all(ids)

    engine, executor, tools = world.process(Life())
    storage: Any = Full(world.tools.storage, Life(), frozenset())
    id = engine.submit(anonymization(replace(tools, storage=storage)))
    executor.run()
    assert engine.get(id).error_code == ErrorCode.FULL_STORAGE  # type: ignore[union-attr] # known
    assert engine.resubmit(id)
    executor.run()
    assert engine.get(id).state is JobState.SUCCESS  # type: ignore[union-attr] # known
    assert world.tools.storage.find_level(STUDY) is None
    world.tools.storage.close()
