"""A job of an extension, as the engine sees it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from orthanc_lab.extensions.call_task import CallTask
from orthanc_lab.extensions.calls import LocalCalls
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.job_outlet import listed, remove
from orthanc_lab.extensions.job_run import JobRun, Saved, Stepped
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Checkpoint, InProgress, JobOutput, StopReason
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.ports import Clock

__all__ = ["ExtensionJob", "ExtensionTools"]

_log = logging.getLogger("orthanc_lab.plugins")
_LAST_CALL_S = 2.0  # for stop() when the server stops


@dataclass(frozen=True, slots=True)
class ExtensionTools:
    """The parts of a server that the jobs of extensions use."""

    orthanc: LocalCalls
    executor: Executor
    outputs: OutputStore
    clock: Clock


class ExtensionJob:
    """Runs the steps of an object of the extension on a task of their own, and saves what each has brought.

    Parameters
    ----------
    saved
        What `prepared` or `serialize` returned.
    """

    def __init__(self, kind: type[Job], tools: ExtensionTools, saved: Mapping[str, Any]) -> None:
        self.type = kind.type
        self._kind = kind
        self._tools = tools
        self._saved = cast(Saved, {key: saved[key] for key in Saved.__annotations__})
        self._task = self._new_task()
        self._run: JobRun | None = None
        self._step: Future[Stepped | None] | None = None  # the one in progress
        self._deadline = 0.0  # monotonic; of the step in progress

    def start(self) -> None:
        """Begin a run; its object is made with the first step."""
        self._run = JobRun(self._kind, self._tools.orthanc, self._tools.outputs, self._saved)

    def step(self) -> bool | Checkpoint | InProgress:
        """Begin a step, or see what has become of it.

        Raises
        ------
        OrthancError
            What the step raised; 16 if it has not returned in time.
        """
        assert self._run is not None
        if self._step is None:
            self._step = self._task.begin(self._run.step)
            self._deadline = self._tools.clock.monotonic() + self._kind.step_timeout
        step = self._step
        if not step.done():
            left = self._deadline - self._tools.clock.monotonic()
            if left <= 0:
                words = f"A step of {self.type} has not returned within {self._kind.step_timeout:g} seconds"
                raise OrthancError(ErrorCode.TIMEOUT, words)
            return InProgress(left, lambda wake: step.add_done_callback(lambda _: wake()))
        self._step = None
        stepped = step.result()
        assert stepped is not None
        self._saved = stepped.saved
        return Checkpoint() if stepped.more and self._kind.save_every_step else stepped.more

    def stop(self, reason: StopReason) -> None:
        """End the run: its object may close what it opened, after a step that is still in progress."""
        run, self._run = self._run, None
        step, self._step = self._step, None
        if run is not None:
            task = self._task
            in_progress = step is not None and not step.done()
            if in_progress:
                _log.warning("A step of the job %s goes on, although the job was stopped (%s)", self.type, reason.value)
                run.revoke()
                self._task = self._new_task()  # the next run does not wait for it
            task.begin(lambda: run.stop(reason), last=True)
            if reason is StopReason.SHUTDOWN and not in_progress:
                task.join(_LAST_CALL_S)
        if reason in (StopReason.CANCELED, StopReason.FAILURE):
            self._drop_outputs()

    def reset(self) -> None:
        """Go back to what `Job.prepare` has left."""
        self._drop_outputs()
        saved = self._saved
        self._saved = {
            **saved,
            "state": saved["first"]["state"],
            "content": saved["first"]["content"],
            "progress": 0.0,
        }

    def progress(self) -> float:
        """Return what the last step has left."""
        return self._saved["progress"]

    def content(self) -> dict[str, Any]:
        """Return what the last step has left."""
        return self._saved["content"]

    def serialize(self) -> dict[str, Any]:
        """Return what the last step has left."""
        return dict(self._saved)

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return the outputs of all steps."""
        return listed(self._saved["outputs"])

    def _new_task(self) -> CallTask[Stepped | None]:
        return CallTask(self._tools.executor, f"extension-{self.type}")

    def _drop_outputs(self) -> None:
        remove(self._tools.outputs, self._saved["outputs"])
        self._saved = {**self._saved, "outputs": {}}
