from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.ports import JobOutput, Jobs, JobView
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from tests.jobs.doubles import DEADLINE, RESTORES
from tests.waiting import until


class Engines:
    """Makes engines on the same folder, one after the other, and stops them all at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors: list[BaseException] = []
        self.made: list[JobsEngine] = []
        self.stores: list[SqliteJobStore] = []
        self.outputs = FileOutputs(folder / "outputs", SystemIdentifiers())

    def __call__(self, *, start: bool = True, database: bool = True, **options: Any) -> JobsEngine:
        options = {"restores": RESTORES, "concurrent_jobs": 1, "on_error": self.errors.append, **options}
        clock, identifiers = options.pop("clock", SystemClock()), options.pop("identifiers", SystemIdentifiers())
        executor = options.pop("executor", ThreadExecutor(clock))
        path = self.folder / "jobs.sqlite3" if database else None
        self.stores.append(SqliteJobStore(path, keep=options.get("load_jobs", True)))
        engine = JobsEngine(self.stores[-1], self.outputs, clock, identifiers, executor, **options)
        self.made.append(engine)
        if start:
            engine.start()
        return engine

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self.made:
            engine.stop(timeout=0.1)  # a test may leave a job at its gate

    def text_of(self, output: JobOutput | None) -> str | None:
        """Return what stands in the output store."""
        if output is None:
            return None
        with self.outputs.open(output.name) as file:
            return file.read().decode()

    def restarted(self, **options: Any) -> JobsEngine:
        """Stop the last engine and make the next one."""
        self.made[-1].stop()
        return self(**options)


class Waiting(threading.Thread):
    """A caller of `run` in its own thread."""

    def __init__(self, engine: Jobs, job: Any) -> None:
        super().__init__(daemon=True)
        self.engine, self.job = engine, job
        self.error: OrthancError | None = None
        self.view: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.view = self.engine.run(self.job)
        except OrthancError as error:
            self.error = error

    def end(self) -> Waiting:
        self.join(DEADLINE)
        assert not self.is_alive(), "the caller still waits"
        return self


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    with Engines(tmp_path) as made:
        yield made


@pytest.fixture
def engine(engines: Engines) -> JobsEngine:
    """An engine with one worker that runs."""
    return engines()


def wait_for_state(engine: Jobs, id: str, state: JobState) -> JobView:
    """Wait until a job is in a state."""

    def reached() -> JobView | None:
        view = engine.get(id)
        return view if view is not None and view.state is state else None

    return until(reached, what=lambda: f"not {state.value}: {engine.get(id)}")  # type: ignore[return-value] # true
