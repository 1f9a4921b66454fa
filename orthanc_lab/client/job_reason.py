"""What a job waits for, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from orthanc_lab.client.job_events import Place
from orthanc_lab.protocol.errors import ErrorCode
from orthanc_lab.protocol.job_events import Cause, Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = ["reason"]

_ASKED = {Happened.PAUSE: "pauses", Happened.CANCEL: "is canceled"}


def reason(state: JobState, error: tuple[int, str], events: Sequence[JobEvent], place: Place) -> str:
    """Return what a job waits for.

    Parameters
    ----------
    error
        The code of its error, and the error in words.
    events
        What the log has of it; may be empty.
    """
    last = events[-1] if events and events[-1].after is state else None  # it may have moved between two requests
    return _REASONS[state](error, last, place)


_Error = tuple[int, str]


def _pending(error: _Error, last: JobEvent | None, place: Place) -> str:
    workers = "the only worker" if place.workers == 1 else f"one of the {place.workers} workers"
    if not place.ahead:
        return f"It waits for {workers}, and is the next that is taken."
    jobs = "1 job" if place.ahead == 1 else f"{place.ahead:,} jobs"
    return f"It waits for {workers}, behind {jobs} with a higher or equal priority."


def _running(error: _Error, last: JobEvent | None, place: Place) -> str:
    if last is None:
        return "It waits for nothing: it is running."
    runs = f"worker {last.worker} is running it, at {last.progress} %"
    if last.event in _ASKED:
        then = f"it {_ASKED[last.event]} then, as a client asked {_at(last)}"
        return f"It waits for the end of its step: {runs}; {then}."
    if last.event is Happened.WAITED:
        return f"Its next step waits for somebody else since {_time(last.at)}: {runs}."
    return f"It waits for nothing: {runs}."


def _paused(error: _Error, last: JobEvent | None, place: Place) -> str:
    by = "It is paused"
    if last is not None and last.cause is Cause.CLIENT:
        by = f"A client paused it {_at(last)}"
    elif last is not None and last.cause is Cause.RESTART:
        by = "It was paused before the server was started"
    return f"{by}; it goes on when a client resumes it: job.resume()."


def _retry(error: _Error, last: JobEvent | None, place: Place) -> str:
    return f"It waits for its next try, which the server makes by itself{_because(error)}."


def _success(error: _Error, last: JobEvent | None, place: Place) -> str:
    return "It waits for nothing: it has ended."


def _failure(error: _Error, last: JobEvent | None, place: Place) -> str:
    if error[0] == ErrorCode.CANCELED_JOB:
        return "It waits for nothing: a client canceled it."
    return f"It waits for nothing: it has failed{_because(error)}."


def _because(error: _Error) -> str:
    return f" ({error[1]})" if error[1] else ""


def _at(event: JobEvent) -> str:
    return f"at {_time(event.at)}"


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


_REASONS: dict[JobState, Callable[[_Error, JobEvent | None, Place], str]] = {
    JobState.PENDING: _pending,
    JobState.RUNNING: _running,
    JobState.PAUSED: _paused,
    JobState.RETRY: _retry,
    JobState.SUCCESS: _success,
    JobState.FAILURE: _failure,
}
