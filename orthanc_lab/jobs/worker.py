"""How a worker runs one job: step by step, until it ends, is paused or the engine stops."""

from __future__ import annotations

from typing import Protocol

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Event, Report
from orthanc_lab.jobs.ports import Job
from orthanc_lab.jobs.rows import frozen_copy
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState

__all__ = ["WorkerHost", "report_of", "run_job"]


class WorkerHost(Protocol):
    """What a worker reports to."""

    @property
    def stopping(self) -> bool:
        """True once the engine stops: no further step is begun."""
        ...

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> None:
        """Move a job to its next status, and carry out what follows from it."""
        ...

    def interrupt(self, entry: Entry) -> None:
        """Let go of a job whose next step is not begun, because the engine stops."""
        ...

    def report(self, error: BaseException) -> None:
        """Take note of an error that is no part of Orthanc's table."""
        ...


def run_job(entry: Entry, host: WorkerHost) -> None:
    """Run a job that was just picked, until it leaves the state Running or the engine stops."""
    job = entry.job
    assert job is not None
    try:
        job.start()
    except BaseException as error:
        _fail(entry, job, error, host)
        return
    if entry.status.pausing or entry.status.canceling:
        host.move(entry, Event.STARTED)
    while entry.status.state is JobState.RUNNING:
        if host.stopping:
            host.interrupt(entry)
            return
        _step(entry, job, host)


def _step(entry: Entry, job: Job, host: WorkerHost) -> None:
    try:
        more = job.step()
        if not more:
            entry.outputs = dict(job.outputs())
        report = report_of(job)
    except BaseException as error:
        _fail(entry, job, error, host)
        return
    host.move(entry, Event.STEPPED if more else Event.FINISHED, report)


def _fail(entry: Entry, job: Job, error: BaseException, host: WorkerHost) -> None:
    if isinstance(error, OrthancError):
        code, details = error.code, error.details
    else:
        host.report(error)
        code, details = int(ErrorCode.INTERNAL_ERROR), ""
    try:
        report = report_of(job, code, details)
    except Exception as further:
        host.report(further)
        report = Report(entry.status.progress, entry.status.content, code, details)
    host.move(entry, Event.FAILED, report)


def report_of(job: Job, error_code: int = 0, error_details: str = "") -> Report:
    """Return what a job says of itself, checked and apart from what it goes on changing.

    Raises
    ------
    TypeError
        If its content cannot be written as JSON.
    """
    progress = job.progress()
    return Report(progress if 0 <= progress <= 1 else 0.0, frozen_copy(job.content()), error_code, error_details)
