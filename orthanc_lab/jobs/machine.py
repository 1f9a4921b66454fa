"""The states of a job and the moves between them, as one pure function.

`advance` takes the status of a job and an event, and returns the next status with the
effects that the engine has to carry out, in their order. The first table below is what
a client may ask (Orthanc Book, "Advanced features of the REST API", Jobs), the second
what happens by itself. Nothing here reads a clock, takes a lock or writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.protocol.errors import ErrorCode
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Effect", "Event", "IllegalMove", "Moment", "Report", "Status", "advance", "stop_reason"]


class Event(Enum):
    """What a client asks of a job, and what happens to it."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RESUBMIT = "resubmit"
    DELETE = "delete"
    PICKED = "picked by a worker"
    STARTED = "started"
    STEPPED = "step done, more to do"
    WAITED = "step had to wait for somebody else"
    CHECKPOINTED = "step done, not to be done again"
    FINISHED = "last step done"
    FAILED = "step failed"
    RETRY_DUE = "time to retry"
    RESTORED = "restored from disk"

    __hash__ = object.__hash__  # see JobState


class Effect(Enum):
    """What the engine does about a move, in the order in which they are returned."""

    REFUSE = "refuse: it is not possible now"
    RESET = "send the job back to its beginning"
    STOP = "let the job release what it holds"
    SAVE = "write the job down, before anybody can see the change"
    NOTE = "write down how far the job is, unless that was done a moment ago"
    CHECKPOINT = "write down how far the job is, before it goes on"
    QUEUE = "let it wait for a worker"
    COMPLETE = "enter it into the history"
    REVIVE = "take it out of the history"
    FORGET = "remove it with all that it left"


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of an event, on both clocks."""

    utc: datetime
    seconds: float  # monotonic


@dataclass(frozen=True, slots=True)
class Report:
    """What a job reports after a step."""

    progress: float  # 0.0 … 1.0
    content: Mapping[str, Any]
    error_code: int = 0
    error_details: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """All that can be known of a job at one moment, apart from the job itself."""

    state: JobState = JobState.PENDING
    progress: float = 0.0  # 0.0 … 1.0
    content: Mapping[str, Any] = field(default_factory=dict)
    error_code: int = 0
    error_details: str = ""
    runtime: float = 0.0  # seconds, up to `since`
    since: float = 0.0  # monotonic time of the last change of state or of progress
    completion_time: datetime | None = None
    pausing: bool = False  # asked for while running; looked at between two steps
    canceling: bool = False


class IllegalMove(Exception):
    """An event that cannot happen in this state: an error of the engine, whose log has what happened before."""

    def __init__(self, status: Status, event: Event) -> None:
        super().__init__(f'"{event.value}" cannot happen to a job in state {status.state.value}')


_Changes = dict[str, Any]
_Move = tuple[_Changes | None, tuple[Effect, ...]]  # None: the status stays as it is
_Rule = Callable[[Status, Moment, Report | None], _Move]


def advance(
    status: Status, event: Event, at: Moment, report: Report | None = None
) -> tuple[Status, tuple[Effect, ...]]:
    """Return the next status and the effects of an event.

    Parameters
    ----------
    report
        What the job reports; needed by STEPPED, WAITED, FINISHED and FAILED.

    Raises
    ------
    IllegalMove
        If the event cannot happen in this state.
    """
    rule = _COMMANDS[status.state].get(event) or _HAPPENINGS.get((status.state, event))
    if rule is None:
        raise IllegalMove(status, event)
    changes, effects = rule(status, at, report)
    if changes is None:
        return status, effects
    return replace(status, **changes), effects


def stop_reason(status: Status) -> StopReason:
    """Return why a job in this status is not being run any more."""
    match status.state:
        case JobState.PAUSED:
            return StopReason.PAUSED
        case JobState.SUCCESS:
            return StopReason.SUCCESS
        case JobState.FAILURE if status.error_code == ErrorCode.CANCELED_JOB:
            return StopReason.CANCELED
        case JobState.FAILURE:
            return StopReason.FAILURE
        case _:
            return StopReason.SHUTDOWN


def _to(state: JobState, at: Moment, **changes: Any) -> _Changes:
    # Every change of state clears both flags, also the one that was not honoured.
    return {"state": state, "since": at.seconds, "pausing": False, "canceling": False, **changes}


def _refuse(status: Status, at: Moment, report: Report | None) -> _Move:
    return None, (Effect.REFUSE,)


def _ignore(status: Status, at: Moment, report: Report | None) -> _Move:
    return None, ()


def _cancel_now(status: Status, at: Moment, report: Report | None) -> _Move:
    changes = _to(JobState.FAILURE, at, error_code=int(ErrorCode.CANCELED_JOB), completion_time=at.utc)
    return changes, (Effect.STOP, Effect.SAVE, Effect.COMPLETE)


def _pause_now(status: Status, at: Moment, report: Report | None) -> _Move:
    return _to(JobState.PAUSED, at), (Effect.STOP, Effect.SAVE)


def _ask_cancel(status: Status, at: Moment, report: Report | None) -> _Move:
    return {"canceling": True}, (Effect.SAVE,)


def _ask_pause(status: Status, at: Moment, report: Report | None) -> _Move:
    return {"pausing": True}, (Effect.SAVE,)


def _resume(status: Status, at: Moment, report: Report | None) -> _Move:
    return _to(JobState.PENDING, at), (Effect.SAVE, Effect.QUEUE)


def _resubmit(status: Status, at: Moment, report: Report | None) -> _Move:
    # Progress and the error stay as they are until the job runs.
    changes = _to(JobState.PENDING, at, runtime=0.0, completion_time=None)
    return changes, (Effect.RESET, Effect.SAVE, Effect.REVIVE, Effect.QUEUE)


def _forget(status: Status, at: Moment, report: Report | None) -> _Move:
    return None, (Effect.FORGET,)


def _run(status: Status, at: Moment, report: Report | None) -> _Move:
    # The time spent waiting counts as run time.
    return _to(JobState.RUNNING, at, error_code=0, runtime=_runtime(status, at)), ()


def _between_steps(status: Status, at: Moment, report: Report | None, effect: Effect = Effect.NOTE) -> _Move:
    reported = {} if report is None else _reported(status, at, report)
    rule = _pause_now if status.pausing else _cancel_now if status.canceling else None
    if rule is None:
        return (reported, (effect,)) if reported else (None, ())
    changes, effects = rule(status, at, report)
    return reported | (changes or {}), effects


def _at_a_checkpoint(status: Status, at: Moment, report: Report | None) -> _Move:
    return _between_steps(status, at, report, Effect.CHECKPOINT)


def _succeed(status: Status, at: Moment, report: Report | None) -> _Move:
    assert report is not None
    end = _to(JobState.SUCCESS, at, completion_time=at.utc, progress=1.0)
    return _reported(status, at, report) | end, (Effect.STOP, Effect.SAVE, Effect.COMPLETE)


def _fail(status: Status, at: Moment, report: Report | None) -> _Move:
    assert report is not None
    end = _to(JobState.FAILURE, at, completion_time=at.utc)
    return _reported(status, at, report) | end, (Effect.STOP, Effect.SAVE, Effect.COMPLETE)


def _restore(status: Status, at: Moment, report: Report | None) -> _Move:
    if status.pausing:
        return _to(JobState.PAUSED, at), ()
    if status.canceling:
        return _cancel_now(status, at, report)
    if status.state.is_final or status.state is JobState.PAUSED:
        return {"since": at.seconds}, ()
    return _to(JobState.PENDING, at), (Effect.QUEUE,)


def _reported(status: Status, at: Moment, report: Report) -> _Changes:
    return {
        "progress": report.progress,
        "content": report.content,
        "error_code": report.error_code,
        "error_details": report.error_details,
        "runtime": _runtime(status, at),
        "since": at.seconds,
    }


def _runtime(status: Status, at: Moment) -> float:
    # Servers that share a list measure by the time of day, on which they may disagree, and which may be put back.
    return status.runtime + max(at.seconds - status.since, 0.0)


def _row(cancel: _Rule, pause: _Rule, resume: _Rule, resubmit: _Rule, delete: _Rule) -> dict[Event, _Rule]:
    return {
        Event.CANCEL: cancel,
        Event.PAUSE: pause,
        Event.RESUME: resume,
        Event.RESUBMIT: resubmit,
        Event.DELETE: delete,
        Event.RESTORED: _restore,
    }


_COMMANDS: dict[JobState, dict[Event, _Rule]] = {
    #                      cancel       pause       resume   resubmit   delete
    JobState.PENDING: _row(_cancel_now, _pause_now, _refuse, _refuse, _refuse),
    JobState.RUNNING: _row(_ask_cancel, _ask_pause, _refuse, _refuse, _refuse),
    JobState.PAUSED: _row(_cancel_now, _ignore, _resume, _refuse, _refuse),
    JobState.RETRY: _row(_cancel_now, _pause_now, _refuse, _refuse, _refuse),
    JobState.SUCCESS: _row(_ignore, _ignore, _refuse, _refuse, _forget),
    JobState.FAILURE: _row(_ignore, _ignore, _refuse, _resubmit, _forget),
}

_HAPPENINGS: dict[tuple[JobState, Event], _Rule] = {
    (JobState.PENDING, Event.PICKED): _run,
    (JobState.RUNNING, Event.STARTED): _between_steps,
    (JobState.RUNNING, Event.STEPPED): _between_steps,
    (JobState.RUNNING, Event.WAITED): _between_steps,
    (JobState.RUNNING, Event.CHECKPOINTED): _at_a_checkpoint,
    (JobState.RUNNING, Event.FINISHED): _succeed,
    (JobState.RUNNING, Event.FAILED): _fail,
    (JobState.RETRY, Event.RETRY_DUE): _resume,
}
