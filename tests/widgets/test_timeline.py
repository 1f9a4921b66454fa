"""The timeline: the list of jobs as it was at any event, without a browser."""

from __future__ import annotations

import dataclasses
import gc
import random
from datetime import UTC, datetime, timedelta

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.job_events import Happened, JobEvent
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.widgets import TimelinePanel
from orthanc_lab.widgets.timeline.replay import Replay
from tests.jobs.conftest import Engines
from tests.jobs.doubles import CountingJob, FailingJob

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def engines(tmp_path):
    with Engines(tmp_path) as made:
        yield made


def live(engine):
    """Return the list of jobs as the engine shows it."""
    views = engine.views()
    return {(view.id, view.type, view.state, view.priority, view.progress, view.error_code) for view in views}


def then(replay, position):
    jobs = replay.jobs_at(position)
    return {(job.id, job.kind, job.state, job.priority, job.progress, job.error_code) for job in jobs}


def act(engine, executor, chance):
    """Do one thing of all that can happen."""
    ids = engine.ids()
    command = chance.choice(["submit", "turn", "turn", "turn", "pause", "resume", "cancel", "resubmit", "delete"])
    if command == "submit" or not ids:
        job = CountingJob(chance.randrange(5)) if chance.random() < 0.7 else FailingJob(at=chance.randrange(3))
        engine.submit(job, chance.randrange(-2, 3))
    elif command == "turn":
        executor.turn()
    else:
        getattr(engine, command)(chance.choice(ids))


def test_the_list_at_any_event_is_what_was_seen_live(engines):
    chance = random.Random(7)
    clock = ManualClock()
    executor = InlineExecutor(clock)
    engine = engines(clock=clock, executor=executor, concurrent_jobs=2, history_size=5)
    recorded, replay = {0: set()}, Replay()
    while len(replay) < 2_500:
        clock.advance(chance.random())
        act(engine, executor, chance)
        replay.extend(engine.events.since(replay.last))
        recorded[engine.events.last] = live(engine)
    assert len(recorded) > 1_000
    for position in chance.sample(sorted(recorded), 400):
        assert then(replay, position) == recorded[position]


def event(number, job="a", what=Happened.STEPPED, before=JobState.RUNNING, after=JobState.RUNNING, **others):
    at = NOON + timedelta(seconds=number)
    return JobEvent(number, at, job, "Archive", 0, what, before, after, **others)


def test_the_oldest_events_are_dropped_and_the_rest_stays_as_it_was():
    whole, short = Replay(10_000), Replay(2_000)
    events = [event(1, what=Happened.SUBMITTED, before=None, after=JobState.PENDING)]
    events += [event(number, f"{number % 7}", progress=number % 100) for number in range(2, 5_500)]
    assert whole.extend(events) == 0
    assert sum(short.extend(events[start : start + 500]) for start in range(0, 5_500, 500)) == 3_000
    assert len(short) == len(whole) - 3_000 == 2_499
    for position in (0, 1, 999, 1_000, 1_001, 2_499):
        assert then(short, position) == then(whole, position + 3_000)
    assert short.event(1) == whole.event(3_001)
    assert (short.event(0), short.event(2_500)) == (None, None)


def test_what_workers_did():
    replay = Replay()
    replay.extend(
        [
            event(1, what=Happened.PICKED, before=JobState.PENDING, worker=2),
            event(3, what=Happened.FINISHED, after=JobState.SUCCESS, worker=2),
            event(5, "b", what=Happened.PICKED, before=JobState.PENDING, worker=1),
        ]
    )
    spans = list(replay.spans(NOON, NOON + timedelta(seconds=9)))
    assert [(span.worker, span.job, span.after) for span in spans] == [
        (2, "a", JobState.SUCCESS),
        (1, "b", JobState.RUNNING),
    ]
    assert (spans[0].start, spans[0].end, spans[1].end) == (events_at(1), events_at(3), None)
    assert list(replay.spans(events_at(4), events_at(4))) == []
    assert replay.around(3, 4.0) == (events_at(2), events_at(6))
    assert Replay().around(0, 1) is None


def events_at(number):
    return NOON + timedelta(seconds=number)


def test_the_panel_follows_and_looks_back(client, study, server_url, request):
    panel = TimelinePanel(client)
    if "real" in request.node.callspec.id:
        assert "keeps no log of what happens to its jobs" in panel.status.text
        return
    first = panel.slider.value
    job = study.archive_job(priority=4).wait(30)
    panel.refresh()
    assert panel.slider.value == panel.slider.max > first
    assert (panel.table.rows[0]["id"], panel.table.rows[0]["state"]) == (job.id, "Success")
    assert "it made its last step" in panel.words.value
    panel.earlier.click()
    assert panel.table.rows[0]["state"] == "Running"
    assert panel.lanes.words.endswith(f"Archive {job.id[:8]}")
    panel.slider.value = first + 1
    assert (panel.table.rows[0]["state"], panel.table.rows[0]["priority"]) == ("Pending", 4)
    study.archive_job().wait(30)
    panel.refresh()
    assert panel.slider.value == first + 1  # who looks back is left there
    assert panel.slider.max > first + 4
    panel.later.click()
    assert panel.slider.value == first + 2
    panel.slider.value = 0
    assert panel.words.value == "Before the first event of the log"
    panel.later.click(), panel.earlier.click(), panel.earlier.click()
    assert panel.slider.value == 0
    assert "Jobs" not in panel.snapshot()


def test_dragging_the_slider_leaves_next_to_nothing_for_the_collector_of_garbage():
    """A collection of all generations stops everything for 0.1 s, in a kernel with pandas and 100,000 events."""
    names = [f"{number:08}" for number in range(300)]
    events = [event(1 + place, name, Happened.SUBMITTED, None, JobState.PENDING) for place, name in enumerate(names)]
    for number in range(301, 4_000, 2):
        job = names[number % 300]
        events += [event(number, job, Happened.PICKED, JobState.PENDING), event(number + 1, job, Happened.WAITED)]
        events[-1] = dataclasses.replace(events[-1], after=JobState.PENDING)
    with orthanc_lab.in_process(executor="inline") as server:
        panel = TimelinePanel(Client.from_server(server))
        panel.window.value = 3600
        panel.replay.extend(events)
        panel.slider.max = len(panel.replay)
        panel.slider.value = 3_999
        assert len(panel.table.rows) == 200
        assert len(panel.lanes.drawing["lanes"]) == 500
        gc.collect()
        before = gc.get_stats()[0]["collections"]
        for position in random.Random(1).sample(range(2_000, 4_000), 200):
            panel.slider.value = position
        assert gc.get_stats()[0]["collections"] - before < 20


def test_a_restarted_server_begins_a_new_timeline(tmp_path):
    options = {"StorageDirectory": str(tmp_path), "executor": "inline"}
    with orthanc_lab.in_process(**options, clock=ManualClock(NOON)) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"))
        panel = TimelinePanel(client)
        job = client.studies.find()[0].archive_job().wait()
        panel.refresh()
        assert panel.slider.max > 2
    with orthanc_lab.in_process(**options, clock=ManualClock(NOON + timedelta(1))) as server:
        panel.poll_client = Client.from_server(server)
        panel.refresh()
        assert panel.slider.max == 1
        assert "the server started, and found it Success on disk" in panel.words.value
        assert [row["id"] for row in panel.table.rows] == [job.id]
