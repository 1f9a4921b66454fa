"""``/jobs``: routes, statuses and forms of the answers, as Orthanc 1.12.7 gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import falcon
import pytest

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import Job
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.rest.http.bodies import job_fields, read_json
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.jobs import jobs
from orthanc_lab.rest.services import Services
from tests.jobs.application import Client, failure, is_bare
from tests.jobs.conftest import Engines, wait_for_state
from tests.jobs.doubles import CountingJob, FailingJob, GatedJob, WritingJob


class Maker:
    """A call that creates a job."""

    job: Callable[[], Job]

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        submit_job(req, resp, self._services, job_fields(read_json(req)), Maker.job())


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    with Engines(tmp_path) as made:
        yield made


@pytest.fixture
def engine(engines: Engines) -> JobsEngine:
    return engines()


@pytest.fixture
def client(engine: JobsEngine, engines: Engines) -> Iterator[Client]:
    Maker.job = CountingJob
    with Client(engine, (*jobs.ROUTES, ("/make", Maker)), outputs=engines.folder / "outputs") as client:
        yield client


def test_no_jobs(client: Client) -> None:
    assert client.get("/jobs").content == b"[]"
    assert client.get("/jobs?expand").content == b"[]"


def test_asynchronous_then_the_job(client: Client, engine: JobsEngine) -> None:
    answer = client.post("/make", data='{"Asynchronous": true, "Priority": 7}')
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    id = answer.json()["ID"]
    assert answer.text == f'{{\n   "ID" : "{id}",\n   "Path" : "/jobs/{id}"\n}}'
    wait_for_state(engine, id, JobState.SUCCESS)
    job = client.get(f"/jobs/{id}").json()
    moment = r"\d{8}T\d{6}(\.\d{6})?"
    for name in ("CompletionTime", "CreationTime", "Timestamp"):
        assert re.fullmatch(moment, job.pop(name))
    assert job.pop("EffectiveRuntime") >= 0
    assert job == {
        "Content": {"Done": 1, "Name": ""},
        "ErrorCode": 0,
        "ErrorDescription": "Success",
        "ErrorDetails": "",
        "ID": id,
        "Priority": 7,
        "Progress": 100,
        "State": "Success",
        "Type": "Counting",
    }


def test_synchronous_content(client: Client) -> None:
    answer = client.post("/make", data="{}")
    assert (answer.status_code, answer.text) == (200, '{\n   "Done" : 1,\n   "Name" : ""\n}')


def test_synchronous_failure(client: Client) -> None:
    Maker.job = FailingJob
    assert failure(client.post("/make", data="{}")) == (500, 9, "The other end is gone")


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ('{"Synchronous": 1}', "Boolean value expected in field: Synchronous"),
        ('{"Asynchronous": null}', "Boolean value expected in field: Asynchronous"),
        ('{"Priority": "1"}', "Integer value expected in field: Priority"),
        ('{"Priority": 1.0}', "Integer value expected in field: Priority"),
        ('{"Permissive": 0}', "Boolean value expected in field: Permissive"),
    ],
)
def test_fields_of_a_wrong_type(client: Client, body: str, details: str) -> None:
    assert failure(client.post("/make", data=body)) == (400, 15, details)
    assert client.get("/jobs").json() == []


def test_no_history(engines: Engines) -> None:
    Maker.job = CountingJob
    details = 'Cannot retrieve the status of the job, make sure that "JobsHistorySize" is not 0'
    with Client(engines(history_size=0), (("/make", Maker),)) as client:
        assert failure(client.post("/make", data="{}")) == (404, 7, details)


def test_the_list_is_the_same_text_as_the_jobs(client: Client, engine: JobsEngine) -> None:
    for number in range(5):
        engine.run(CountingJob(2, name=f'"Timestamp" : "\n      "Timestamp" : "{number}'))
    id = engine.submit(GatedJob(1))
    engine.pause(id)
    first = client.get("/jobs?expand").text
    again = client.get("/jobs?expand=true").text
    assert [job["ID"] for job in json.loads(first)] == client.get("/jobs").json() == sorted(engine.ids())
    singles = [client.get(f"/jobs/{id}").text.replace("\n", "\n   ") for id in engine.ids()]
    assert timeless("[\n   " + ",\n   ".join(singles) + "\n]") == timeless(first) == timeless(again)
    assert first != again  # the time of the answer


def timeless(text: str) -> str:
    return re.sub(r'(\n +"Timestamp" : ")[0-9T.]+"', r'\1"', text)


def test_the_list_follows_the_jobs(client: Client, engine: JobsEngine) -> None:
    job = FailingJob(steps=2)
    id = engine.submit(job)
    wait_for_state(engine, id, JobState.FAILURE)
    (shown,) = client.get("/jobs?expand").json()
    assert (shown["State"], shown["ErrorDescription"]) == ("Failure", "Error in the network protocol")
    client.post(f"/jobs/{id}/resubmit")
    wait_for_state(engine, id, JobState.SUCCESS)
    (shown,) = client.get("/jobs?expand").json()
    assert (shown["State"], shown["Progress"]) == ("Success", 100)
    client.delete(f"/jobs/{id}")
    assert client.get("/jobs?expand").json() == []


@pytest.mark.parametrize("query", ["expand", "expand=", "expand=1", "expand=true"])
@pytest.mark.parametrize("more", ["", "&since=3&limit=1"])
def test_expand(client: Client, engine: JobsEngine, query: str, more: str) -> None:
    id = engine.run(CountingJob()).id
    assert client.get(f"/jobs?{query}{more}").json()[0]["ID"] == id


@pytest.mark.parametrize("query", ["", "expand=0", "expand=false", "Expand", "limit=0"])
def test_not_expanded(client: Client, engine: JobsEngine, query: str) -> None:
    id = engine.run(CountingJob()).id
    assert client.get(f"/jobs?{query}").json() == [id]


@pytest.mark.parametrize("value", ["no", "True", "2"])
def test_expand_that_is_no_boolean(client: Client, value: str) -> None:
    details = f'Expected a Boolean for GET argument "expand", found: {value}'
    assert failure(client.get(f"/jobs?expand={value}")) == (400, 3, details)


def test_xml(client: Client, engine: JobsEngine) -> None:
    id = engine.run(CountingJob()).id
    for path in ("/jobs?expand", "/jobs", f"/jobs/{id}"):
        answer = client.get(path, headers={"Accept": "application/xml"})
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        assert id in answer.text


def test_unknown_jobs(client: Client) -> None:
    assert is_bare(client.get("/jobs/nope"), 404)
    assert failure(client.delete("/jobs/nope")) == (404, 7, "No job found with this id: nope")
    for command in ("cancel", "pause", "resume", "resubmit"):
        assert is_bare(client.post(f"/jobs/nope/{command}"), 400)
        no_output = (404, 7, f"Job has no such output: {command}")
        assert failure(client.get(f"/jobs/nope/{command}")) == no_output
        assert failure(client.delete(f"/jobs/nope/{command}")) == no_output


def test_delete(client: Client, engine: JobsEngine) -> None:
    waiting = GatedJob(1)
    id = engine.submit(waiting)
    waiting.wait_until_in_step()
    assert failure(client.delete(f"/jobs/{id}")) == (404, 7, f"No job found with this id: {id}")
    waiting.let_through()
    wait_for_state(engine, id, JobState.SUCCESS)
    answer = client.delete(f"/jobs/{id}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "text/plain")
    assert is_bare(client.get(f"/jobs/{id}"), 404)


@pytest.mark.parametrize("command", ["cancel", "pause", "resume", "resubmit"])
@pytest.mark.parametrize("state", list(JobState)[:5])
def test_commands_by_state(client: Client, engine: JobsEngine, state: JobState, command: str) -> None:
    gated = GatedJob(2)
    id = in_state(engine, state, gated)
    allowed = command in ("cancel", "pause") or (command, state) in (
        ("resume", JobState.PAUSED),
        ("resubmit", JobState.FAILURE),
    )
    answer = client.post(f"/jobs/{id}/{command}", data="whatever")
    if allowed:
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert answer.headers["content-type"] == "application/json"
    else:
        assert is_bare(answer, 400)
    gated.let_through(9)


def in_state(engine: JobsEngine, state: JobState, gated: GatedJob) -> str:
    match state:
        case JobState.SUCCESS:
            return engine.run(CountingJob()).id
        case JobState.FAILURE:
            id = engine.submit(FailingJob())
            wait_for_state(engine, id, state)
            return id
        case JobState.RUNNING:
            id = engine.submit(gated)
            gated.wait_until_in_step()
            return id
    engine.submit(gated)
    gated.wait_until_in_step()
    id = engine.submit(CountingJob())
    if state is JobState.PAUSED:
        engine.pause(id)
    return id


def test_output(client: Client, engine: JobsEngine, engines: Engines) -> None:
    id = engine.run(WritingJob(engines.outputs, "x" * 700_000)).id
    answer = client.get(f"/jobs/{id}/archive")
    assert answer.status_code == 200
    assert answer.text == "x" * 700_000
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-length"] == "700000"
    assert answer.headers["content-disposition"] == 'filename="Archive.zip"'
    assert failure(client.get(f"/jobs/{id}/nope")) == (404, 7, "Job has no such output: nope")
    deleted = client.delete(f"/jobs/{id}/archive")
    assert (deleted.status_code, deleted.content, deleted.headers["content-type"]) == (200, b"", "text/plain")
    for call in (client.delete, client.get):
        assert failure(call(f"/jobs/{id}/archive")) == (404, 7, "Job has no such output: archive")


@pytest.mark.parametrize(
    ("verb", "path", "allow"),
    [
        ("PUT", "/jobs", "GET"),
        ("POST", "/jobs", "GET"),
        ("POST", "/jobs/x", "GET,DELETE"),
        ("POST", "/jobs/x/archive", "GET,DELETE"),
        ("PUT", "/jobs/x/cancel", "GET,POST,DELETE"),
    ],
)
def test_other_verbs(client: Client, verb: str, path: str, allow: str) -> None:
    answer = client.request(verb, path)
    assert is_bare(answer, 405)
    assert answer.headers["allow"] == allow


def test_estimated_time(client: Client, engine: JobsEngine) -> None:
    gated: Any = GatedJob(4)
    id = engine.submit(gated)
    gated.wait_until_in_step()
    assert "EstimatedTimeOfArrival" not in client.get(f"/jobs/{id}").json()
    gated.let_through()
    gated.wait_until_in_step()
    job: dict[str, Any] = {}
    while job.get("EffectiveRuntime", 0) <= 0:
        job = client.get(f"/jobs/{id}").json()
    assert job["Progress"] == 25
    assert job["EstimatedTimeOfArrival"] > job["Timestamp"]
    gated.let_through(3)
