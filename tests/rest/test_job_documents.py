"""The text of a job is what the house format makes of its document, also where it is put together from pieces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.timestamps import iso_micros
from orthanc_lab.rest.jobs.job_documents import JobListText, JobTexts, job_document

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
CREATED = datetime(2026, 1, 1, 3, 4, 5, tzinfo=UTC)
VIEW = JobView(
    id="a" * 8,
    type="Archive",
    state=JobState.SUCCESS,
    priority=-3,
    progress=100,
    creation_time=CREATED,
    completion_time=NOW,
    eta=None,
    runtime=0.25,
    error_code=0,
    error_details="",
    content={"Description": "REST API", "InstancesCount": 1},
)
VIEWS = {
    "succeeded": VIEW,
    "pending": replace(VIEW, state=JobState.PENDING, completion_time=None, progress=0, runtime=0.0),
    "running": replace(VIEW, state=JobState.RUNNING, completion_time=None, eta=NOW, progress=50),
    "failed": replace(VIEW, state=JobState.FAILURE, error_code=17, error_details='"é"\n\0{}'),
    "failed for an unknown reason": replace(VIEW, state=JobState.FAILURE, error_code=123456),
    "empty": replace(VIEW, content={}),
    "nested": replace(VIEW, content={"b": {"x": [1, {"y": "\n   "}], "z": {}}, "a": [], "c": None}),
    "of another type": replace(VIEW, type='"Odd"'),
}


def expected(view: JobView) -> object:
    return job_document(view, iso_micros(NOW))


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_one_job(view: JobView) -> None:
    texts = JobTexts()
    for _ in range(2):
        assert texts.text(view, NOW).decode() == house_json.dumps(expected(view))


def test_all_jobs() -> None:
    views = list(VIEWS.values())
    text = JobListText()
    for changed in (
        views,
        views,
        [*views[:3], replace(views[3], progress=7), *views[4:]],
        views[1:],  # without the first
        views[:-1],
        views[::-1],
        [],
        [views[-1], *views],
    ):
        assert text.text(changed, NOW).decode() == house_json.dumps([expected(view) for view in changed])


def test_many_jobs() -> None:
    texts = JobTexts()
    views = [replace(VIEW, id=f"{number:08}") for number in range(1000)]  # more than are kept
    for view in views * 2:
        assert texts.text(view, NOW).decode() == house_json.dumps(expected(view))
