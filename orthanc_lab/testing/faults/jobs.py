"""The faults of jobs: in the engine that resources see, and in each job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from orthanc_lab.jobs.ports import Checkpoint, InProgress, Job, JobOutput, JobsService, JobView, NotReady, Restore
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing.faults.fault import Fault
from orthanc_lab.testing.faults.part import FaultyPart
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyJobs", "JobFaults"]

_RETRY_SECONDS = 10.0  # between two looks of a job in Retry, should nobody wake it


class JobFaults:
    """What the faulty jobs of one server share."""

    jobs: JobsService  # once it is made

    def __init__(self, faults: FaultSwitches) -> None:
        self.faults = faults
        self._faulty: WeakKeyDictionary[Job, FaultyJob] = WeakKeyDictionary()

    def restored(self, restore: Restore) -> Restore:
        """Return how a kind of job is made again, with faults if any is switched on."""

        def make(saved: dict[str, Any]) -> Job:
            job = restore(saved)
            if self.faults.in_force:
                self.put_in(job)
            return job

        return make

    def put_in(self, job: Job, *, done: int | None = 0) -> None:
        """Put faults into a job that has done so many steps; None if it may be doing one."""
        faulty = self._faulty.get(job)
        if faulty is None:
            faulty = self._faulty[job] = FaultyJob(job, self)
        faulty.done = done
        faulty.switch(on=True)

    def put_in_all(self) -> None:
        """Put faults into all jobs that may run some time."""
        for job in self.jobs.made().values():
            self.put_in(job, done=None)

    def take_out(self) -> None:
        """Let all jobs do without faults."""
        for faulty in tuple(self._faulty.values()):
            faulty.switch(on=False)

    def pause(self, faulty: FaultyJob) -> None:
        """Pause the job that is calling."""
        self.jobs.pause(self._id_of(faulty))

    def steps_of(self, faulty: FaultyJob) -> int:
        """Return how many steps the job has finished that is calling, 0 if no events are kept."""
        events = self.jobs.events.of(self._id_of(faulty))
        return events[-1].step if events else 0

    def _id_of(self, faulty: FaultyJob) -> str:
        # "", which no job has, for one that another server took over.
        return next((id for id, job in self.jobs.made().items() if self._faulty.get(job) is faulty), "")

    def is_retrying(self, id: str) -> bool:
        """Whether a job is kept in Retry."""
        job = self.jobs.made().get(id)
        faulty = None if job is None else self._faulty.get(job)
        return faulty is not None and faulty.is_retrying


class FaultyJob(FaultyPart):
    """A job with the faults that are in force."""

    def __init__(self, job: Job, around: JobFaults) -> None:
        super().__init__(job, around.faults)
        self.done: int | None = 0  # steps
        self._type = job.type
        self._around = around
        self._retrying: Fault | None = None

    @property
    def is_retrying(self) -> bool:
        """Whether it is kept in Retry."""
        return self._retrying is not None and self._retrying.is_held

    def start(self) -> None:
        """Start it, then do what a fault does before the first step."""
        self._count()
        self._plain.start()
        self._retrying = self._faults.happens("job that stays in Retry", self._type)
        self._between_steps()

    def step(self) -> bool | NotReady | Checkpoint | InProgress:
        """Do a step, then what a fault does after it."""
        if self._retrying is not None and self._retrying.is_held:
            return NotReady(_RETRY_SECONDS, self._retrying.when_off)
        done = self._count()
        more: bool | NotReady | Checkpoint | InProgress = self._plain.step()
        if more and not isinstance(more, NotReady | InProgress):
            self.done = done + 1
            self._between_steps()
        return more

    def reset(self) -> None:
        """Go back to the beginning."""
        self._plain.reset()
        self.done = 0

    def _count(self) -> int:
        if self.done is None:
            self.done = self._around.steps_of(self)
        return self.done

    def _between_steps(self) -> None:
        if self._happens("job paused by somebody else"):
            self._around.pause(self)
        if self._happens("worker death between two steps"):
            raise GeneratorExit
        if self._happens("job that fails"):
            raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, "a fault that was switched on")

    def _happens(self, name: str) -> bool:
        return any(
            fault.trigger.at_step == self.done and fault.happens(self._type) for fault in self._faults.named(name)
        )


class FaultyJobs(FaultyPart):
    """The engine with the faults that are in force."""

    def __init__(self, jobs: JobsService, around: JobFaults) -> None:
        super().__init__(jobs, around.faults)
        self._around = around

    def switch(self, *, on: bool) -> None:
        """Let faults happen, also to the jobs that are there; or be out of the way."""
        super().switch(on=on)
        if on:
            self._around.put_in_all()
        else:
            self._around.take_out()

    def submit(self, job: Job, priority: int = 0) -> str:
        """Submit a job that has faults."""
        self._around.put_in(job)
        id: str = self._plain.submit(job, priority)
        return id

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Run a job that has faults."""
        self._around.put_in(job)
        view: JobView = self._plain.run(job, priority)
        return view

    def get(self, id: str) -> JobView | None:
        """Return a job; one that has ended may be evicted by this look."""
        view: JobView | None = self._plain.get(id)
        if (
            view is not None
            and view.state.is_final
            and self._faults.happens("history evicted before it is fetched", id)
        ):
            self._plain.delete(id)
            return None
        return None if view is None else self._shown(view)

    def views(self) -> Sequence[JobView]:
        """Return all jobs."""
        return [self._shown(view) for view in self._plain.views()]

    def output(self, id: str, key: str) -> JobOutput | None:
        """Return an output; it may be evicted by this look."""
        output: JobOutput | None = self._plain.output(id, key)
        if output is not None and self._faults.happens("output evicted before it is fetched", id):
            self._plain.delete_output(id, key)
            return None
        return output

    def _shown(self, view: JobView) -> JobView:
        if view.state is not JobState.RUNNING or not self._around.is_retrying(view.id):
            return view
        return replace(view, state=JobState.RETRY, eta=None, error_code=int(ErrorCode.NETWORK_PROTOCOL))
