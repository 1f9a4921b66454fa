"""How a worker runs jobs: step by step, until each ends, is paused or the engine stops.

A job that raises GeneratorExit ends the worker, wherever it was, as the death of its thread would.
"""

from __future__ import annotations

from typing import Protocol

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Event, Report
from orthanc_lab.jobs.ports import Checkpoint, InProgress, Job, NotReady
from orthanc_lab.jobs.ready_queue import Wake
from orthanc_lab.jobs.rows import frozen_copy
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Steps
from orthanc_lab.protocol.jobs import JobState

__all__ = ["WorkerHost", "report_of", "run_jobs"]

_LAST_WAIT_S = 2.0  # for a step in progress, when its job is canceled or the engine stops


class WorkerHost(Protocol):
    """What a worker reports to."""

    @property
    def stopping(self) -> bool:
        """True once the engine stops: no further step is begun."""
        ...

    def take(self, worker: Wake) -> Entry | None:
        """Return the job whose turn it is; None if there is none: then the worker is woken for the next one."""
        ...

    def pick(self, entry: Entry, worker: Wake) -> bool:
        """Let a job be run by a worker; False if it does not wait any more."""
        ...

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> Steps:
        """Move a job to its next status, and carry out what follows from it."""
        ...

    def interrupt(self, entry: Entry) -> None:
        """Stop a job whose next step is not begun, because the engine stops."""
        ...

    def report(self, error: BaseException) -> None:
        """Take note of an error that is not in Orthanc's table."""
        ...


def run_jobs(host: WorkerHost, wake: Wake) -> Steps:
    """Run one job after the other, until the engine stops; `wake` is what wakes this worker."""
    while not host.stopping:
        entry = host.take(wake)
        if entry is None:
            yield None
        elif host.pick(entry, wake):
            yield 0
            yield from _run_job(entry, host, wake)


def _run_job(entry: Entry, host: WorkerHost, wake: Wake) -> Steps:
    """Run a job that was just picked, until it leaves the state Running or the engine stops."""
    job = entry.job
    assert job is not None
    try:
        yield from _start(entry, job, host)
        while _is_run_by(entry, wake):
            if host.stopping:
                host.interrupt(entry)
                return
            yield from _step(entry, job, host, wake)
    except GeneratorExit:
        raise
    except BaseException as error:
        # What a job reports could not be written down: it fails in its last known status.
        host.report(error)
        status = entry.status
        failure = Report(status.progress, status.content, int(ErrorCode.INTERNAL_ERROR))
    else:
        return
    if _is_run_by(entry, wake):
        yield from host.move(entry, Event.FAILED, failure)


def _is_run_by(entry: Entry, worker: Wake) -> bool:
    # It may have been paused, resumed and picked by another worker since this one looked.
    return entry.status.state is JobState.RUNNING and entry.wake is worker


def _start(entry: Entry, job: Job, host: WorkerHost) -> Steps:
    failure = None
    try:
        job.start()
    except GeneratorExit:
        raise
    except BaseException as error:
        failure = _failure(entry, job, error, host)
    yield 0
    if failure is not None:
        yield from host.move(entry, Event.FAILED, failure)
    elif entry.status.pausing or entry.status.canceling:
        yield from host.move(entry, Event.STARTED)
    yield 0


def _step(entry: Entry, job: Job, host: WorkerHost, wake: Wake) -> Steps:
    stepped = _stepped(entry, job, host)
    is_last_wait = False
    while stepped is not None and isinstance(more := stepped[0], InProgress):
        if is_last_wait and host.stopping:
            return
        if is_last_wait and entry.status.canceling:
            break
        is_last_wait = host.stopping or entry.status.canceling
        more.when_done(wake)
        yield min(more.seconds, _LAST_WAIT_S) if is_last_wait else more.seconds
        stepped = _stepped(entry, job, host)
    if stepped is None:
        return
    more, event, report = stepped
    yield 0
    yield from host.move(entry, event, report)
    yield 0
    if isinstance(more, NotReady) and _is_run_by(entry, wake):
        more.when_ready(wake)
        yield more.seconds


_More = bool | NotReady | Checkpoint | InProgress


def _stepped(entry: Entry, job: Job, host: WorkerHost) -> tuple[_More, Event, Report] | None:
    """Return what a step has come to; None if the stop of the engine broke it off."""
    more: _More = False
    try:
        more = job.step()
        if not more:
            entry.outputs = dict(job.outputs())
        return more, _event_after(more), report_of(job)
    except GeneratorExit:
        raise
    except BaseException as error:
        if entry.interrupted:
            return None
        return False, Event.FAILED, _failure(entry, job, error, host)


def _event_after(more: _More) -> Event:
    if isinstance(more, Checkpoint):
        return Event.CHECKPOINTED
    if isinstance(more, NotReady | InProgress):
        return Event.WAITED
    return Event.STEPPED if more else Event.FINISHED


def _failure(entry: Entry, job: Job, error: BaseException, host: WorkerHost) -> Report:
    if isinstance(error, OrthancError):
        code, details = error.code, error.details
    else:
        host.report(error)
        code, details = int(ErrorCode.INTERNAL_ERROR), ""
    try:
        return report_of(job, code, details)
    except Exception as further:
        host.report(further)
        return Report(entry.status.progress, entry.status.content, code, details)


def report_of(job: Job, error_code: int = 0, error_details: str = "") -> Report:
    """Return what a job reports, checked and in a copy.

    Raises
    ------
    TypeError
        If its content cannot be written as JSON.
    """
    progress = job.progress()
    return Report(progress if 0 <= progress <= 1 else 0.0, frozen_copy(job.content()), error_code, error_details)
