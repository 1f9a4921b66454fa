"""One run of an extension's job, from its start to its stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from orthanc_lab.extensions.calls import LocalCalls, RevocableCalls
from orthanc_lab.extensions.failures import extension_error, noted
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.job_outlet import JobOutlet
from orthanc_lab.extensions.json_values import json_copy
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.protocol.errors import OrthancError

__all__ = ["JobRun", "Saved", "Stepped", "prepared"]


class Saved(TypedDict):
    """What is saved of a job."""

    parameters: dict[str, Any]
    first: dict[str, Any]  # state and content before the first step
    state: dict[str, Any]
    content: dict[str, Any]
    progress: float
    outputs: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Stepped:
    """What a step has brought."""

    more: bool
    saved: Saved


def prepared(kind: type[Job], orthanc: LocalCalls, parameters: dict[str, Any]) -> Saved:
    """Return what is saved of a new job.

    Raises
    ------
    OrthancError
        What `Job.prepare` raises, 1 for anything that is not in Orthanc's table.
    """
    try:
        job = kind(orthanc, parameters)
        job.prepare()
    except OrthancError:
        raise
    except (Exception, GeneratorExit, SystemExit) as error:
        raise noted(error, f"The job {kind.type} could not be prepared") from error
    state, content = _object(job, "state"), _object(job, "content")
    return {
        "parameters": json_copy(parameters, "The parameters"),
        "first": {"state": state, "content": content},
        "state": state,
        "content": content,
        "progress": _progress(job),
        "outputs": {},
    }


class JobRun:
    """The object of a run. Its methods are called on one task, save for `revoke`."""

    def __init__(self, kind: type[Job], orthanc: LocalCalls, store: OutputStore, saved: Saved) -> None:
        self._kind = kind
        self._saved = saved
        self._calls = RevocableCalls(orthanc, f"This run of the job {kind.type} has ended")
        self._outlet = JobOutlet(store, saved["outputs"], self._calls.check)
        self._job: Job | None = None

    def step(self) -> Stepped:
        """Make the object first, if there is none; then do the next step.

        Raises
        ------
        OrthancError
            The reason for which the job fails.
        """
        try:
            if self._job is None:
                self._job = self._made()
                self._job.start()
            more = self._job.step()
        except OrthancError:
            raise
        except BaseException as error:
            raise noted(error, f"The job {self._kind.type} has failed") from error
        if not isinstance(more, bool):
            raise extension_error(
                f"step() of {self._kind.type} returned {more!r:.80}: it must return True while more remains, else False"
            )
        return Stepped(more, self._snapshot(self._job))

    def stop(self, reason: StopReason) -> None:
        """Let the object close what it opened; the outputs of a job that has failed are removed."""
        if self._job is not None:
            try:
                self._job.stop(reason)
            except BaseException as error:
                noted(error, f"The job {self._kind.type} could not be stopped")
        if reason in (StopReason.CANCELED, StopReason.FAILURE):
            self._outlet.discard()

    def revoke(self) -> None:
        """Take the server from a step that goes on after its job has ended."""
        self._calls.revoke()

    def _made(self) -> Job:
        saved = self._saved
        job = self._kind(self._calls, json_copy(saved["parameters"], "The parameters"))
        job.state = json_copy(saved["state"], "The state")
        job.content = json_copy(saved["content"], "The content")
        job.progress = saved["progress"]
        job._keep_output = self._outlet.keep
        return job

    def _snapshot(self, job: Job) -> Saved:
        return {
            "parameters": self._saved["parameters"],
            "first": self._saved["first"],
            "state": _object(job, "state"),
            "content": _object(job, "content"),
            "progress": _progress(job),
            "outputs": self._outlet.rows(),
        }


def _object(job: Job, name: str) -> dict[str, Any]:
    value = json_copy(getattr(job, name, None), f"The {name} of {job.type}")
    if not isinstance(value, dict):
        raise extension_error(f"The {name} of {job.type} must be a dict, not {value!r:.80}")
    return value


def _progress(job: Job) -> float:
    value = json_copy(job.progress, f"The progress of {job.type}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise extension_error(f"The progress of {job.type} must be a number from 0 to 1, not {value!r:.80}")
    return float(min(max(value, 0.0), 1.0))
