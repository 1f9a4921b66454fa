"""The table of states, and what each move keeps, clears and counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orthanc_lab.jobs.machine import Effect, Event, IllegalMove, Moment, Report, Status, advance, stop_reason
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.protocol.jobs import JobState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUNNING = (Event.STARTED, Event.STEPPED, Event.WAITED, Event.CHECKPOINTED, Event.FINISHED, Event.FAILED)
COMMANDS = (Event.CANCEL, Event.PAUSE, Event.RESUME, Event.RESUBMIT, Event.DELETE)
R, S, F, P, W, Y = (
    JobState.RUNNING,
    JobState.SUCCESS,
    JobState.FAILURE,
    JobState.PAUSED,
    JobState.PENDING,
    JobState.RETRY,
)


def at(seconds: float) -> Moment:
    return Moment(NOON + timedelta(seconds=seconds), 1000 + seconds)


# jobs.md section 2, as text: the state after the command, "no" where it is refused, "=" where nothing happens.
TABLE = """
            cancel   pause    resume   resubmit  delete
  Pending   Failure  Paused   no       no        no
  Running   flag     flag     no       no        no
  Paused    Failure  =        Pending  no        no
  Retry     Failure  Paused   no       no        no
  Success   =        =        no       no        gone
  Failure   =        =        no       Pending   gone
"""


def rows() -> list[tuple[JobState, Event, str]]:
    head, *lines = TABLE.strip().splitlines()
    assert head.split() == [event.value for event in COMMANDS]
    return [
        (JobState(state), event, cell)
        for state, *cells in map(str.split, lines)
        for event, cell in zip(COMMANDS, cells, strict=True)
    ]


@pytest.mark.parametrize(("state", "event", "cell"), rows())
def test_commands(state: JobState, event: Event, cell: str) -> None:
    before = Status(state, progress=0.5, error_code=9, error_details="x", since=1000)
    after, effects = advance(before, event, at(1))
    match cell:
        case "no":
            assert (after, effects) == (before, (Effect.REFUSE,))
        case "=":
            assert (after, effects) == (before, ())
        case "gone":
            assert (after, effects) == (before, (Effect.FORGET,))
        case "flag":
            assert after.state is state
            assert (after.pausing, after.canceling) == (event is Event.PAUSE, event is Event.CANCEL)
            assert effects == (Effect.SAVE,)
        case _:
            assert after.state is JobState(cell)
            assert Effect.SAVE in effects
            assert (Effect.QUEUE in effects) == (cell == "Pending")
            assert (Effect.COMPLETE in effects) == (cell == "Failure")


def test_a_life() -> None:
    status = Status(content={"n": 0}, since=at(0).seconds)
    status, effects = advance(status, Event.PICKED, at(0.5))
    assert (status.state, status.runtime, effects) == (R, 0.5, ())  # the wait counts
    status, effects = advance(status, Event.STARTED, at(0.6))
    assert (status.state, effects) == (R, ())
    status, effects = advance(status, Event.STEPPED, at(1), Report(0.5, {"n": 1}))
    assert (status.runtime, status.progress, status.content, effects) == (1.0, 0.5, {"n": 1}, (Effect.NOTE,))
    status, effects = advance(status, Event.CHECKPOINTED, at(1), Report(0.5, {"n": 1}))
    assert effects == (Effect.CHECKPOINT,)
    status, effects = advance(status, Event.FINISHED, at(1.5), Report(0.9, {"n": 2}))
    assert (status.state, status.progress, status.runtime, status.completion_time) == (S, 1.0, 1.5, at(1.5).utc)
    assert effects == (Effect.STOP, Effect.SAVE, Effect.COMPLETE)


@pytest.mark.parametrize(
    ("pausing", "canceling", "state"), [(True, False, P), (False, True, F), (True, True, P), (False, False, R)]
)
@pytest.mark.parametrize("event", [Event.STARTED, Event.STEPPED, Event.CHECKPOINTED])
def test_between_two_steps(event: Event, pausing: bool, canceling: bool, state: JobState) -> None:
    status = Status(R, pausing=pausing, canceling=canceling, since=1000)
    report = None if event is Event.STARTED else Report(0.25, {"n": 1})
    after, _ = advance(status, event, at(1), report)
    assert after.state is state
    assert (after.pausing, after.canceling) == (False, False)
    assert after.error_code == (37 if state is F else 0)
    assert after.progress == (0.25 if report else 0.0)


@pytest.mark.parametrize("event", [Event.FINISHED, Event.FAILED])
def test_the_end_of_a_step_that_ends_the_job_goes_before_what_was_asked(event: Event) -> None:
    status = Status(R, pausing=True, canceling=True)
    after, _ = advance(status, event, at(1), Report(0.5, {}, 9 if event is Event.FAILED else 0, "x"))
    assert after.state is (F if event is Event.FAILED else S)
    assert after.error_code == (9 if event is Event.FAILED else 0)


def test_resubmit() -> None:
    failed = Status(F, 0.33, {"n": 1}, 9, "gone", runtime=7.0, since=1000, completion_time=NOON)
    after, effects = advance(failed, Event.RESUBMIT, at(5))
    assert after.completion_time is None
    assert (after.runtime, after.progress, after.error_code, after.error_details) == (0.0, 0.33, 9, "gone")
    assert effects == (Effect.RESET, Effect.SAVE, Effect.REVIVE, Effect.QUEUE)
    running, _ = advance(after, Event.PICKED, at(6))
    assert (running.error_code, running.error_details, running.progress) == (0, "gone", 0.33)
    stepped, _ = advance(running, Event.STEPPED, at(7), Report(0.1, {}))
    assert (stepped.error_details, stepped.progress, stepped.runtime) == ("", 0.1, 2.0)


def test_only_the_last_wait_counts() -> None:
    status = Status(since=at(0).seconds)
    status, _ = advance(status, Event.PAUSE, at(3))
    status, _ = advance(status, Event.RESUME, at(9))
    status, _ = advance(status, Event.PICKED, at(10))
    assert status.runtime == 1.0


def test_a_clock_that_is_put_back_takes_no_run_time_away() -> None:
    status, _ = advance(Status(since=at(9).seconds), Event.PICKED, at(2))
    assert status.runtime == 0.0
    status, _ = advance(status, Event.STEPPED, at(3), Report(0.5, {}))
    status, _ = advance(status, Event.FINISHED, at(1), Report(1.0, {}))
    assert status.runtime == 1.0


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status(W), W),
        (Status(R), W),
        (Status(Y), W),
        (Status(P), P),
        (Status(S), S),
        (Status(F, error_code=9), F),
        (Status(R, pausing=True), P),
        (Status(R, canceling=True), F),
        (Status(R, pausing=True, canceling=True), P),
    ],
)
def test_restored(status: Status, state: JobState) -> None:
    after, effects = advance(replace(status, runtime=3.0, progress=0.5), Event.RESTORED, at(9))
    assert (after.state, after.runtime, after.progress, after.since) == (state, 3.0, 0.5, at(9).seconds)
    assert (Effect.QUEUE in effects) == (state is W)


def test_every_state_and_event_has_an_answer() -> None:
    legal = {
        *((state, event) for state in JobState for event in (*COMMANDS, Event.RESTORED)),
        (W, Event.PICKED),
        (Y, Event.RETRY_DUE),
        *((R, event) for event in RUNNING),
    }
    for state in JobState:
        for event in Event:
            if (state, event) in legal:
                advance(Status(state), event, at(1), Report(0.5, {}))
            else:
                with pytest.raises(IllegalMove):
                    advance(Status(state), event, at(1), Report(0.5, {}))


def test_an_illegal_move_names_the_event_and_the_state() -> None:
    with pytest.raises(IllegalMove) as raised:
        advance(Status(JobState.FAILURE), Event.PICKED, at(3))
    assert str(raised.value) == '"picked by a worker" cannot happen to a job in state Failure'


def test_stop_reasons() -> None:
    reasons = {P: StopReason.PAUSED, S: StopReason.SUCCESS, F: StopReason.FAILURE, R: StopReason.SHUTDOWN}
    for state, reason in reasons.items():
        assert stop_reason(Status(state)) is reason
    assert stop_reason(Status(F, error_code=37)) is StopReason.CANCELED
