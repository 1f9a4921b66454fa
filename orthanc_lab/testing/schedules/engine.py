"""A jobs engine in a simulation: its list of jobs is in memory, and survives a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.ports import Job, JobView
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.protocol.seeded import SeededExecutor, TaskGroup
from orthanc_lab.testing.schedules.counting_job import CountingJob
from orthanc_lab.testing.schedules.memory_store import MemoryJobStore, MemoryOutputs

__all__ = ["JobKind", "SimulatedEngine"]


class JobKind(Protocol):
    """A class of jobs."""

    type: str

    def restore(self, payload: dict[str, Any], /) -> Job:
        """Make a job again from what it serialized to."""
        ...


class SimulatedEngine:
    """The jobs engine alone, without a server around it; made by `Simulation.jobs_engine`.

    Attributes
    ----------
    engine
        The `JobsEngine`; another one after a crash.
    outputs
        Where its jobs leave their outputs.
    """

    def __init__(
        self,
        executor: SeededExecutor,
        identifiers: Identifiers,
        kinds: Iterable[JobKind],
        make: Callable[..., JobsEngine] = JobsEngine,
        **options: Any,
    ) -> None:
        self._clock = executor.clock
        self._identifiers = identifiers
        self._make = make
        self._options = options
        known: tuple[JobKind, ...] = (CountingJob, *kinds)
        self._restores = {kind.type: kind.restore for kind in known}
        self._tasks = TaskGroup(executor)
        self._store = MemoryJobStore()
        self.outputs = MemoryOutputs(identifiers)
        self._ended_logs: list[EventLog] = []
        self._start()

    def _start(self) -> None:
        self.engine = self._make(
            self._store,
            self.outputs,
            self._clock,
            self._identifiers,
            self._tasks,
            restores=self._restores,
            **self._options,
        )
        self.engine.start()

    def crash(self) -> None:
        """End as a killed process does, and start again with what was written down.

        Raises
        ------
        RuntimeError
            Inside a step.
        """
        self._tasks.check_that_none_runs()
        self._tasks.drop_all()
        self._ended_logs.append(self.engine.events)
        self._store = MemoryJobStore(self._store)
        self._start()

    def digest(self) -> str:
        """Return a hash of all that has happened to jobs, crashes included: the same for the same schedule."""
        found = hashlib.sha256()
        for log in (*self._ended_logs, self.engine.events):
            found.update(log.digest().encode())
        return found.hexdigest()

    def submit(self, job: Job, priority: int = 0) -> str:
        """Submit a job, and return its id."""
        return self.engine.submit(job, priority)

    def view(self, id: str) -> JobView:
        """Return a job as it is now.

        Raises
        ------
        KeyError
            If it is unknown.
        """
        view = self.engine.get(id)
        if view is None:
            raise KeyError(id)
        return view

    def state(self, id: str) -> JobState:
        """Return the state of a job.

        Raises
        ------
        KeyError
            If it is unknown.
        """
        return self.view(id).state
