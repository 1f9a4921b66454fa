"""Jobs: controls, waiting, outputs."""

from __future__ import annotations

import asyncio
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab import Client
from orthanc_lab.client import (
    CanceledError,
    Job,
    JobFailedError,
    JobPausedError,
    JobTimeoutError,
    NotFoundError,
    ResponseError,
    Study,
)
from tests.waiting import until


def paused_job(client: Client, study: Study) -> Job:
    """Return a job that is Paused: the later of many, so that it is caught while it is Pending."""
    jobs = [study.anonymize(priority=5) for _ in range(8)]
    job = study.anonymize(priority=-5).pause()
    until(lambda: job.refresh().state.value != "Running")
    assert job.state.value == "Paused"
    for other in jobs:
        other.wait(60)
    return job


def test_submit_wait_download(client: Client, study: Study, tmp_path: Path) -> None:
    begin = datetime.now(UTC)
    job = study.archive_job(priority=7)
    looks: list[int] = []
    assert job.wait(60, progress=lambda job: looks.append(job.progress)) is job
    assert looks[-1] == 100
    assert (job.type, job.state.value, job.priority, job.progress, job.error) == ("Archive", "Success", 7, 100, "")
    assert job.created is not None
    assert job.completed is not None
    assert begin - timedelta(seconds=5) < job.created <= job.completed
    assert job.eta is None
    assert job.runtime >= 0
    assert job.content["InstancesCount"] == len(study.instances)
    seen: list[tuple[int, int | None]] = []
    saved = job.download(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert saved.name == f"{study.id}.zip"
    assert seen[-1] == (saved.stat().st_size, saved.stat().st_size)
    assert len(zipfile.ZipFile(saved).namelist()) == len(study.instances)
    job.delete_output()
    with pytest.raises(NotFoundError, match="Job has no such output: archive"):
        job.download(tmp_path / "again.zip")
    assert [path.name for path in tmp_path.iterdir()] == [saved.name]


def test_await(study: Study) -> None:
    async def both() -> list[str]:
        jobs = [study.archive_job(), study.media_job(extended=True)]
        done = await asyncio.gather(*(job.wait_async(60) for job in jobs))
        return [job.type for job in done]

    assert asyncio.run(both()) == ["Archive", "Media"]


def test_pause_resume(client: Client, study: Study) -> None:
    job = paused_job(client, study)
    with pytest.raises(JobPausedError, match=r"job\.resume\(\)"):
        job.wait(60)
    with pytest.raises(JobTimeoutError, match="is still Paused"):
        job.wait(0.05, paused="wait")
    assert job.resume().wait(60).progress == 100


@pytest.mark.parametrize("given", ["60", None, timedelta(minutes=1)])
def test_a_timeout_that_is_no_number(study: Study, given: Any) -> None:
    job = study.archive_job()
    for name in ("timeout", "outage"):
        with pytest.raises(TypeError, match=f"{name} is a number of seconds, such as 60, not "):
            job.wait(**{name: given})


def test_cancel_resubmit(client: Client, study: Study) -> None:
    job = paused_job(client, study).cancel()
    with pytest.raises(CanceledError, match=r"This job was canceled \(Orthanc error 37\)"):
        job.wait(60)
    assert job.error.startswith("This job was canceled")
    assert repr(job).startswith(f"<Job {job.id[:8]} ResourceModification Failure ")
    assert job.resubmit().wait(60).error == ""


def test_what_a_state_forbids_is_an_error(study: Study) -> None:
    job = study.archive_job().wait(60)
    for action in (job.resume, job.resubmit):
        with pytest.raises(
            ResponseError, match=r"(?s)HTTP (400|500).*state Success: only one in Paused can be resumed"
        ):
            action()


def test_a_choice_is_checked_before_the_wait(study: Study) -> None:
    job = study.archive_job()
    with pytest.raises(ValueError, match="paused must be one of 'raise', 'wait', not 'foo'"):
        job.wait(paused="foo")  # type: ignore[arg-type]  # the wrong word is the point
    with pytest.raises(ValueError, match="retry must be one of 'raise', 'wait', not 'never'"):
        asyncio.run(job.wait_async(retry="never"))  # type: ignore[arg-type]


def test_what_fails_again_is_not_to_be_resubmitted(study: Study) -> None:
    with pytest.raises(JobFailedError, match="It would fail again: correct what the call was given") as caught:
        study.modify({"Rows": "abc"}).wait(60)
    assert "resubmit" not in str(caught.value)


def test_history(client: Client, study: Study) -> None:
    first, second = study.archive_job().wait(60), study.media_job().wait(60)
    assert [job.id for job in client.jobs] == [second.id, first.id]
    assert client.jobs.list("Success", "Media") == [second]
    assert client.jobs.list("Running") == []
    with pytest.raises(ValueError, match=r"state must be one of 'Pending', .*, not 'Sleeping'"):
        client.jobs.list("Sleeping")
    assert client.jobs[first.id] == first
    first.delete()
    assert len(client.jobs) == 1
    with pytest.raises(KeyError):
        client.jobs[first.id]
    with pytest.raises(NotFoundError):
        first.delete()


def test_submit_any_route(client: Client, study: Study) -> None:
    other = client.made_by(study.modify({"StudyDescription": "Part"}).wait())[0]
    moved = study.series[0]
    job = client.jobs.submit(f"/studies/{study.id}/split", {"Series": [moved.id]}, priority=1)
    assert job.wait(60).type == "SplitStudy"
    assert client.made_by(job)[0].level.value == "Study"
    with pytest.raises(ResponseError) as caught:
        client.jobs.submit(f"/studies/{other.id}/split", {"Series": ["unknown"]})
    assert caught.value.code is not None
    assert f"POST {client.url}/studies/{other.id}/split" in str(caught.value)


def test_a_route_that_takes_no_post(client: Client) -> None:
    with pytest.raises(ResponseError, match=r"(?s)\(HTTP 405\).*/system\nThis path takes no such request"):
        client.jobs.submit("/system")
