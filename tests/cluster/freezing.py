"""Two servers on one database and one file area, one of which stops at a call while the other goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.jobs.shared.shared_jobs import SharedJobs
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.execution import Steps
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.server.environment import Environment

_TURN = 0.25  # seconds that pass between two looks around
_PATIENCE = 400  # looks
_LONGEST = 60.0  # seconds of the machine, for what another server does meanwhile
_AREA = ("read", "write", "remove", "sync")


class Calls:
    """Counts the calls of a server to the database and the files; at one of them, something happens.

    The server has no threads: while that happens, nothing else of it goes on.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self._at = 0
        self._is_after = False
        self._happens: Callable[[], None] | None = None

    def expect(self, at: int, *, after: bool, happens: Callable[[], None]) -> None:
        """Let something happen at a call, before it is carried out or before its answer arrives."""
        self.made, self._at, self._is_after, self._happens = [], at, after, happens

    @property
    def has_happened(self) -> bool:
        return self._happens is None

    def forget(self) -> None:
        self._happens = None

    def __call__(self, what: str, call: Callable[[], Any]) -> Any:
        if self._happens is None or threading.current_thread() is not threading.main_thread():
            return call()
        self.made.append(what)
        if len(self.made) != self._at:
            return call()
        happens, self._happens = self._happens, None
        if not self._is_after:
            happens()
            return call()
        try:
            return call()
        finally:
            happens()

    def around(self, environment: Environment) -> Environment:
        return replace(environment, file_area=lambda area: _Area(area, self))


class _Area:
    def __init__(self, area: Any, calls: Calls) -> None:
        self._area, self._calls = area, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._area, name)
        if name not in _AREA:
            return found
        return lambda *values, **named: self._calls(f"area.{name}", lambda: found(*values, **named))


class AtRest:
    """Instead of the threads that keep a lease and look around: the test does that by hand."""

    def __init__(self, clock: object) -> None: ...

    def spawn(self, name: str, steps: Steps) -> Any:
        return self

    def wake(self) -> None: ...

    def join(self, timeout: float) -> bool:
        return True


class Server:
    """A server that goes on when it is told to."""

    def __init__(self, folder: Path, options: dict[str, Any], extensions: Any) -> None:
        self.calls = Calls()
        self.clock = ManualClock()
        self.http: InProcessServer = orthanc_lab.in_process(
            options, folder=folder, executor="inline", clock=self.clock, faults=self.calls, extensions=extensions
        )
        self.url = self.http.url
        self.errors = self.http.errors
        engine = self.http.services.engine
        assert isinstance(engine, SharedJobs)
        self.engine: SharedJobs = engine
        self.database: Database = engine._store._database  # type: ignore[attr-defined] # that of PostgreSQL

    def __call__(self, verb: str, path: str, **named: Any) -> Any:
        answer = self.http.session.request(verb, self.url + path, **named)
        assert answer.status_code == 200, (verb, path, answer.text)
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content

    def turn(self) -> None:
        """Keep the lease, look around, and let all go on that can."""
        self.engine._keeper._renew()
        self.engine._look_around(True)
        self._executor.run()
        self.clock.advance(_TURN)

    @property
    def _executor(self) -> Any:
        return self.http._environment.executor

    def go_on(self, turns: int = 12) -> None:
        for _ in range(turns):
            self.turn()

    def state_of(self, job: str) -> JobState | None:
        view = self.engine.get(job)
        return None if view is None else view.state

    def finish(self, job: str) -> None:
        """Go on until a job has ended, or is paused."""
        for _ in range(_PATIENCE):
            self.turn()
            state = self.state_of(job)
            if state is None or state.is_final or state is JobState.PAUSED:
                return
        raise AssertionError(f"the job does not end: {self.engine.get(job)}")


class Pair:
    """Two servers; `one` is the one that freezes."""

    def __init__(self, one: Server, other: Server, folder: Path) -> None:
        self.one, self.other, self.folder = one, other, folder

    def take_lease(self) -> None:
        """End the lease of the first server, which has slept through its renewal."""
        epoch = self.one.engine._keeper.epoch
        assert epoch is not None
        self.other.engine._store.leave(epoch)
        self.one.engine._keeper._sure_until = 0.0


def elsewhere(work: Callable[[], None]) -> None:
    """Do something on a thread of its own, as another process would."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_LONGEST)
    if thread.is_alive():
        raise AssertionError("the other server waits for the one that is frozen")
    if failures:
        raise failures[0]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, by: Callable[[Database], Calls | None]) -> Iterator[None]:
    """Let the calls to databases be counted."""
    plain = {name: getattr(Database, name) for name in ("run", "read")}

    def counting(name: str) -> Any:
        def call(database: Database, *values: Any, **named: Any) -> Any:
            calls = by(database)
            if calls is None:
                return plain[name](database, *values, **named)
            where = f"{name} {getattr(values[0], '__qualname__', values[0])}"
            return calls(where, lambda: plain[name](database, *values, **named))

        return call

    with monkeypatch.context() as patch:
        for name in plain:
            patch.setattr(Database, name, counting(name))
        yield
