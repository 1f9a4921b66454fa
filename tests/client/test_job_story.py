"""What happened to a job, and what it waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import ClientError, Job, JobForgottenError, NoEventLogError, Study
from orthanc_lab.protocol.job_events import event_document, read_event
from orthanc_lab.protocol.jobs import JobState
from tests.client.scripted import Scripted, answer
from tests.jobs.conftest import wait_for_state
from tests.jobs.doubles import CountingJob, FailingJob, GatedJob
from tests.waiting import until


class Served:
    """A server of ours, its jobs engine, and a client."""

    def __init__(self, **options: Any) -> None:
        self.clock = orthanc_lab.ManualClock()
        self.server = orthanc_lab.in_process(clock=self.clock, ConcurrentJobs=2, **options)
        self.client = Client.from_server(self.server)
        self.engine = self.server.services.engine

    def submit(self, job: Any, priority: int = 0) -> Job:
        return self.client.jobs[self.engine.submit(job, priority)]

    def held(self, steps: int = 3) -> tuple[GatedJob, Job]:
        """Return a job that is in its first step."""
        gated = GatedJob(steps)
        job = self.submit(gated)
        gated.wait_until_in_step()
        return gated, job


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    with served.server:
        yield served


def told(job: Job) -> list[str]:
    return [line.words for line in job.story().lines]


def test_the_story_of_a_job_with_pauses(served: Served) -> None:
    gated, job = served.held(6)
    gated.let_through(3)
    until(lambda: job.refresh().progress == 50)
    served.clock.advance(1)
    job.pause()
    gated.let_through()
    wait_for_state(served.engine, job.id, JobState.PAUSED)
    served.clock.advance(2)
    job.resume()
    gated.let_through(2)
    job.wait(30)
    story = job.story()
    worker = story[1].worker
    assert [line.words for line in story.lines] == [
        "submitted by a client, with priority 0",
        f"worker {worker} took it",
        "it made steps 1 to 3, and is at 50 %",
        "a client asked to pause it; the step goes on to its end",
        "paused after step 4, as a client had asked",
        "a client resumed it",
        f"worker {story[8].worker} took it",
        "it made step 5, and is at 83 %",
        "it made its last step, number 6",
    ]
    assert str(story).splitlines()[:2] == [
        f"Gated {job.id}",
        "  00:00:00.000000 Pending  submitted by a client, with priority 0",
    ]
    html = story._repr_html_()
    assert "2026-01-01 00:00:03.000000 UTC" in html
    assert (len(story), len(story.moves), story.note) == (11, 6, "")


def test_the_story_of_failures(served: Served) -> None:
    failing = served.submit(FailingJob(at=1))
    until(lambda: failing.refresh().state.is_final)
    assert told(failing)[-1] == "its step 2 failed: Error in the network protocol"
    failing.resubmit()
    until(lambda: failing.refresh().state.value == "Success")
    assert "a client submitted it again" in told(failing)
    failing.delete()
    assert told(failing)[-1] == "a client deleted it"
    with pytest.raises(JobForgottenError):
        failing.why()

    gated, job = served.held()
    job.cancel()
    gated.let_through()
    until(lambda: job.refresh().state.is_final)
    assert told(job)[-2:] == [
        "a client asked to cancel it; the step goes on to its end",
        "canceled after step 1, as a client had asked",
    ]
    assert job.why() == "It waits for nothing: a client canceled it."


def test_why(served: Served) -> None:
    gates = [served.held(), served.held()]
    running = gates[0][1]
    worker = running.story()[-1].worker
    assert running.why() == f"It waits for nothing: worker {worker} is running it, at 0 %."
    first, second, urgent = (served.submit(CountingJob(), priority) for priority in (0, 0, 5))
    assert urgent.why() == "It waits for one of the 2 workers, and is the next that is taken."
    assert first.why() == "It waits for one of the 2 workers, behind 1 job with a higher or equal priority."
    assert second.why() == "It waits for one of the 2 workers, behind 2 jobs with a higher or equal priority."
    urgent.pause()
    assert urgent.why() == "A client paused it at 00:00:00 UTC; it goes on when a client resumes it: job.resume()."
    assert "behind 1 job " in second.why()
    running.pause()
    assert running.why() == (
        f"It waits for the end of its step: worker {worker} is running it, at 0 %; it pauses then, as a client asked "
        "at 00:00:00 UTC."
    )
    for gated, _ in gates:
        gated.let_through(3)
    until(lambda: second.refresh().state.is_final)
    assert second.why() == "It waits for nothing: it has ended."
    failing = served.submit(FailingJob(at=0))
    until(lambda: failing.refresh().state.is_final)
    assert (
        failing.why() == "It waits for nothing: it has failed (Error in the network protocol: The other end is gone)."
    )


def test_a_restart_keeps_the_state_and_says_so(tmp_path: Path) -> None:
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path), executor="inline") as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"))
        job = client.studies.find()[0].archive_job().wait()
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path), executor="inline") as server:
        story = Client.from_server(server).jobs[job.id].story()
        assert [line.words for line in story.lines] == ["the server started, and found it Success on disk"]
        assert story.note.startswith(
            "What happened before the server was started is not in its log. The job was submitted"
        )


def test_a_log_that_is_too_short_says_so() -> None:
    with orthanc_lab.in_process(executor="inline", JobsEventsSize=2) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"))
        job = client.studies.find()[0].archive_job().wait()
        assert len(job.story()) == 2
        assert job.story().note.startswith(
            "The beginning is no longer in the log of the server (option JobsEventsSize)."
        )
        client.studies.find()[0].archive_job().wait()
        assert str(job.story()) == f"Job {job.id}\n  The log of the server has no event of this job."


def test_the_route(served: Served) -> None:
    def get(query: str = "") -> requests.Response:
        return served.server.session.get(f"{served.server.url}/orthanc-lab/events{query}")

    jobs = [served.submit(CountingJob(2)).wait(30) for _ in range(2)]
    whole = get().json()
    assert (whole["Done"], whole["First"], whole["Last"], whole["Began"]) == (True, 1, 8, "20260101T000000")
    events = [read_event(document) for document in whole["Events"]]
    assert [event_document(event) for event in events] == whole["Events"]
    assert events == served.client.jobs.events() == served.engine.events.since()
    assert [event["Job"] for event in get(f"?job={jobs[1].id}").json()["Events"]] == [jobs[1].id] * 4
    part = get("?since=2&limit=3").json()
    assert ([event["Sequence"] for event in part["Events"]], part["Done"]) == ([3, 4, 5], False)
    assert get("?since=8").json()["Events"] == get("?job=../x").json()["Events"] == []
    assert len(get("?limit=0").json()["Events"]) == 8
    for query in ("?since=x", "?limit=-1", "?since=%00"):
        assert (get(query).status_code, get(query).json()["OrthancStatus"]) == (400, 3)
    waiting = served.server.session.get(f"{served.server.url}/orthanc-lab/jobs/{jobs[0].id}/waiting")
    assert waiting.json() == {"Workers": 2, "Ahead": None}
    assert served.server.session.get(f"{served.server.url}/orthanc-lab/jobs/nobody/waiting").status_code == 404


def test_the_real_server_has_no_log(client: Client, study: Study, server_url: str, request: Any) -> None:
    job = study.archive_job().wait(60)
    if "real" not in request.node.callspec.id:
        assert [event.after.value for event in job.story().moves if event.after] == ["Pending", "Running", "Success"]
        return
    for ask in (job.story, job.why, client.jobs.events):
        with pytest.raises(NoEventLogError, match=f"{server_url} keeps no log of what happens to its jobs"):
            ask()


@pytest.mark.parametrize("damage", [{"Sequence": "x"}, {"Time": "never"}, {"Event": "Eaten"}, {"After": "Dead"}])
def test_a_damaged_log(served: Served, damage: dict[str, Any]) -> None:
    served.submit(CountingJob()).wait(30)
    document = event_document(served.client.jobs.events()[0])
    page = {"Events": [{**document, **damage}], "Done": True, "Began": "20260101T000000", "First": 1, "Last": 1}
    scripted = Scripted(answer(json.dumps(page).encode()))
    with scripted, pytest.raises(ClientError, match="a log of events that cannot be read"):
        Client(scripted.url).jobs.events()
