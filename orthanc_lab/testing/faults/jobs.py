"""The faults of jobs: around the engine that resources see, and each job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from orthanc_lab.jobs.ports import Checkpoint, InProgress, Job, JobOutput, Jobs, JobView, NotReady, Restore
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing.faults.fault import Fault
from orthanc_lab.testing.faults.port import FaultyPortWithState
from orthanc_lab.testing.faults.switches import FaultSwitches

__all__ = ["FaultyJobs", "JobFaults"]

_OWN = attrgetter("type", "stop", "progress", "content", "serialize", "outputs")  # of a job: faults do not change them
_RETRY_SECONDS = 10.0  # between two looks of a job in Retry, should nobody wake it


class JobFaults:
    """What the wrappers of one server share."""

    def __init__(self, faults: FaultSwitches) -> None:
        self.faults = faults
        self.jobs: Jobs  # without faults

    def restored(self, restore: Restore) -> Restore:
        """Return how a kind of job is made again, with faults."""
        return lambda saved: FaultyJob(restore(saved), self)

    def pause(self, job: FaultyJob) -> None:
        """Pause the job that is calling."""
        for view in self.jobs.views():
            if view.state is JobState.RUNNING and view.type == job.type and job.id in (None, view.id):
                self.jobs.pause(view.id)
                return


class FaultyJob:
    """A job with the faults that are in force."""

    id: str | None = None  # once it is known
    retrying: Fault | None = None
    _done = 0  # steps

    def __init__(self, job: Job, around: JobFaults) -> None:
        self._job = job
        self._around = around
        self.type, self.stop, self.progress, self.content, self.serialize, self.outputs = _OWN(job)
        if (interrupt := getattr(job, "interrupt", None)) is not None:
            self.interrupt = interrupt

    def start(self) -> None:
        """Start it, then do what a fault does before the first step."""
        self._job.start()
        if self._around.faults.in_force:
            self.retrying = self._around.faults.happens("job that stays in Retry", self.type)
            self._between_steps()

    def step(self) -> bool | NotReady | Checkpoint | InProgress:
        """Do a step, then what a fault does after it."""
        retrying = self.retrying
        if retrying is not None and retrying.is_held:
            return NotReady(_RETRY_SECONDS, retrying.when_off)
        more = self._job.step()
        if more and not isinstance(more, NotReady | InProgress):
            self._done += 1
            if self._around.faults.in_force:
                self._between_steps()
        return more

    def _between_steps(self) -> None:
        if self._happens("job paused by somebody else"):
            self._around.pause(self)
        if self._happens("worker death between two steps"):
            raise GeneratorExit
        if self._happens("job that fails"):
            raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, "a fault that was switched on")

    def _happens(self, name: str) -> bool:
        faults = self._around.faults.named(name)
        return any(fault.trigger.at_step == self._done and fault.happens(self.type) for fault in faults)

    def reset(self) -> None:
        """Go back to the beginning."""
        self._job.reset()
        self._done = 0


class FaultyJobs(FaultyPortWithState, always=("submit", "run")):
    """The engine as resources see it, with the faults that are in force."""

    def __init__(self, jobs: Jobs, around: JobFaults) -> None:
        self._around = around
        self._submitted: dict[str, FaultyJob] = {}
        super().__init__(jobs, around.faults)

    def submit(self, job: Job, priority: int = 0) -> str:
        """Submit a job that has faults, also those that are switched on later."""
        faulty = FaultyJob(job, self._around)
        id: str = self._port.submit(faulty, priority)
        faulty.id = id
        if self._faults.in_force and self._faults.named("job that stays in Retry"):
            self._submitted[id] = faulty
        return id

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Run a job that has faults."""
        view: JobView = self._port.run(FaultyJob(job, self._around), priority)
        return view

    def get(self, id: str) -> JobView | None:
        """Return a job; one that has ended may be evicted by this look."""
        view: JobView | None = self._port.get(id)
        if (
            view is not None
            and view.state.is_final
            and self._faults.happens("history evicted before it is fetched", id)
        ):
            self._port.delete(id)
            return None
        return None if view is None else self._shown(view)

    def views(self) -> Sequence[JobView]:
        """Return all jobs."""
        return [self._shown(view) for view in self._port.views()]

    def output(self, id: str, key: str) -> JobOutput | None:
        """Return an output; it may be evicted by this look."""
        output: JobOutput | None = self._port.output(id, key)
        if output is not None and self._faults.happens("output evicted before it is fetched", id):
            self._port.delete_output(id, key)
            return None
        return output

    def _shown(self, view: JobView) -> JobView:
        job = self._submitted.get(view.id)
        if job is None or view.state is not JobState.RUNNING or job.retrying is None or not job.retrying.is_held:
            return view
        return replace(view, state=JobState.RETRY, eta=None, error_code=int(ErrorCode.NETWORK_PROTOCOL))
