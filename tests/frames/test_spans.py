"""When jobs waited, ran and were paused."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

import orthanc_lab
from orthanc_lab import frames
from orthanc_lab.protocol.ports import ManualClock
from tests.frames.gates import GatedWait

START = pd.Timestamp("2026-01-01T00:00:00Z")


def stamp(seconds):
    return (START + pd.Timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%S.%f")


def job(id, created, completed=None, *, runtime=None, state="Success", asked=100.0):
    document = {
        "ID": id, "Type": "Archive", "State": state, "Priority": 0, "Progress": 0, "CreationTime": stamp(created),
        "Timestamp": stamp(asked), "ErrorCode": 0, "Content": {},
        "EffectiveRuntime": (completed - created if completed else 0.0) if runtime is None else runtime,
    }  # fmt: skip
    return document | ({"CompletionTime": stamp(completed)} if completed is not None else {})


def rows(spans):
    seconds = [(spans[name] - START).dt.total_seconds().round(6) for name in ("start", "end")]
    return list(zip(spans["id"], spans["state"], *seconds, spans["worker"].fillna(0), strict=True))


def test_jobs_behind_each_other_on_one_worker():
    frame = frames.jobs_frame([job("a", 0, 2), job("b", 0, 3), job("c", 5, 6)])
    assert rows(frames.job_spans(frame, workers=1)) == [
        ("a", "Running", 0, 2, 1),
        ("b", "Pending", 0, 2, 0),
        ("b", "Running", 2, 3, 1),
        ("c", "Running", 5, 6, 1),
    ]


def test_two_workers_share_four_jobs():
    frame = frames.jobs_frame([job(name, 0, end) for name, end in zip("abcd", (2, 3, 4, 6), strict=True)])
    running = [row for row in rows(frames.job_spans(frame, workers=2)) if row[1] == "Running"]
    assert running == [
        ("a", "Running", 0, 2, 1),
        ("b", "Running", 0, 3, 2),
        ("c", "Running", 2, 4, 1),
        ("d", "Running", 3, 6, 2),
    ]


def test_time_outside_of_the_run_time_is_a_pause():
    frame = frames.jobs_frame([job("a", 0, 10, runtime=4)])
    assert rows(frames.job_spans(frame)) == [("a", "Paused", 0, 6, 0), ("a", "Running", 6, 10, 1)]


def test_jobs_that_go_on_end_at_the_answer():
    frame = frames.jobs_frame([job("a", 0, state="Running"), job("b", 1, state="Paused"), job("c", 2, state="Pending")])
    assert rows(frames.job_spans(frame)) == [
        ("a", "Running", 0, 100, 1),
        ("b", "Paused", 1, 100, 0),
        ("c", "Pending", 2, 100, 0),
    ]


def test_never_more_workers_than_there_are():
    frame = frames.jobs_frame([job(str(n), n % 7, 10 + n * 0.5) for n in range(40)])
    for workers in (1, 2, 5):
        assert frames.job_spans(frame, workers)["worker"].max() == workers
    with pytest.raises(ValueError, match="at least 1 worker"):
        frames.job_spans(frame, 0)
    assert len(frames.job_spans(frame.head(0))) == 0


class Answers:
    """A transport that answers what it is given, one look after the other."""

    url = "http://answers"

    def __init__(self, *looks):
        self.looks = list(looks)

    def json(self, *_, **__):
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look


def watched(orthanc, *looks):
    clock = ManualClock(START.to_pydatetime())
    wait = GatedWait(clock)
    client = orthanc_lab.Client.from_server(orthanc)
    client.transport = Answers(*looks)
    with frames.JobWatch(client, 1.0, clock=clock, wait=wait) as watch:
        wait.looked()
        for _ in looks[1:]:
            wait.next()
    return watch


def test_a_watch_sees_each_change_of_state(orthanc):
    states = ["Pending", "Running", "Paused", "Paused", "Pending", "Running"]
    looks = [[], *[[job("a", 0.5, state=state)] for state in states], [job("a", 0.5, 6.25)]]
    spans = watched(orthanc, *looks).spans()
    assert rows(spans) == [
        ("a", "Pending", 0.5, 2, 0),
        ("a", "Running", 2, 3, 1),
        ("a", "Paused", 3, 5, 0),
        ("a", "Pending", 5, 6, 0),
        ("a", "Running", 6, 6.25, 1),
    ]
    assert spans["observed"].all()


def test_looks_by_hand_are_timed_by_the_server(orthanc):
    client = orthanc_lab.Client.from_server(orthanc)
    assert repr(frames.JobWatch(client)) == f"<JobWatch of {client.url}: 0 changes of state, stopped>"
    looks = [("Running", 1), ("Paused", 4), ("Running", 9)]
    client.transport = Answers(*[[job("a", 1, state=state, asked=asked)] for state, asked in looks], [job("a", 1, 12)])
    watch = frames.JobWatch(client)
    for _ in range(4):
        watch.poll()
    assert rows(watch.spans()) == [("a", "Running", 1, 4, 1), ("a", "Paused", 4, 9, 0), ("a", "Running", 9, 12, 1)]
    assert watch.spans()["observed"].all()


def test_a_short_job_is_concluded_and_history_before_the_watch_is_left_out(orthanc):
    old = job("old", -9, -8)
    spans = watched(orthanc, [old], [old, job("a", 0.25, 0.75)]).spans()
    assert rows(spans) == [("a", "Running", 0.25, 0.75, 1)]
    assert not spans["observed"].any()


def test_a_short_job_makes_no_worker_that_there_is_not(orthanc):
    long = [job("long", -1, state="Running")]
    spans = watched(orthanc, long, [*long, job("short", 0.25, 0.75)], [job("long", -1, 2)]).spans()
    assert rows(spans) == [("long", "Running", 0, 2, 1), ("short", "Running", 0.25, 0.75, 1)]


def test_nothing_is_said_of_an_outage(orthanc):
    lost = orthanc_lab.UnreachableError("http://x", OSError("gone"))
    running = [job("a", -1, state="Running")]
    watch = watched(orthanc, running, running, lost, running, running)
    assert rows(watch.spans()) == [("a", "Running", 0, 1, 1), ("a", "Running", 3, 4, 1)]
    assert watch.gap == ""


def test_what_was_over_before_the_watch_is_left_out(filled):
    job = next(iter(filled.studies)).anonymize().wait()
    clock = ManualClock(datetime.now(UTC))
    wait = GatedWait(clock)
    with frames.JobWatch(filled, clock=clock, wait=wait) as watch:
        wait.looked()
    assert len(watch.spans()) == 0
    spans = frames.job_spans(frames.jobs(filled))
    assert spans["end"].iloc[-1] == pd.Timestamp(job.completed)
