from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from tests.jobs.doubles import DEADLINE, RESTORES


class Engines:
    """Makes engines on the same folder, one after the other, and stops them all at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.errors: list[BaseException] = []
        self.made: list[JobsEngine] = []

    def __call__(self, *, start: bool = True, database: bool = True, **options: Any) -> JobsEngine:
        options = {"restores": RESTORES, "concurrent_jobs": 1, "on_error": self.errors.append, **options}
        clock, identifiers = options.pop("clock", SystemClock()), options.pop("identifiers", SystemIdentifiers())
        path = self.folder / "jobs.sqlite3" if database else None
        engine = JobsEngine(path, self.folder / "outputs", clock, identifiers, **options)
        self.made.append(engine)
        if start:
            engine.start()
        return engine

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self.made:
            engine.stop(timeout=0.1)  # a test may leave a job at its gate

    def restarted(self, **options: Any) -> JobsEngine:
        """Stop the last engine and make the next one."""
        self.made[-1].stop()
        return self(**options)


class Waiting(threading.Thread):
    """A caller of `run` in its own thread."""

    def __init__(self, engine: JobsEngine, job: Any) -> None:
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


def wait_for(condition: Callable[[], Any], what: str = "the condition") -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not come true in {DEADLINE} s"
        time.sleep(0.001)


def wait_for_state(engine: JobsEngine, id: str, state: JobState) -> JobView:
    found: list[JobView] = []

    def reached() -> bool:
        view = engine.get(id)
        found[:] = [view] if view else []
        return view is not None and view.state is state

    wait_for(reached, f"the state {state.value} of {id} (now {found})")
    return found[0]
