"""The jobs panel, without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import ClientError, Job, ResponseError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets import JobsPanel
from orthanc_lab.widgets.jobs.job_rows import CONTROLS, offers, row
from tests.widgets.browser import hear


@pytest.fixture
def paused(study):
    """An archive job that is paused."""
    return paused_job(study.archive_job)


def paused_job(submit: Callable[[], Job]) -> Job:
    while True:
        job = submit()
        with suppress(ResponseError):  # it has ended already
            job.pause()
        while job.state is JobState.RUNNING:
            job.refresh()
        if job.state is JobState.PAUSED:
            return job
        job.delete()


@pytest.fixture
def panel(client):
    with_panel = JobsPanel(client)
    yield with_panel
    with_panel.close()


def states(panel):
    return {row["id"]: row["state"] for row in panel.table.rows}


def test_a_selected_job_is_deleted(client, study, panel):
    job = study.archive_job().wait()
    panel.refresh()
    panel.table.selected = [job.id]
    assert panel.toolbar.offers == {"delete": ""}
    panel.toolbar.press("delete")
    panel.act("", lambda: None).result()
    assert panel.table.rows == []
    assert panel.selected == []
    assert panel.toolbar.offers == {}
    assert [job.id for job in client.jobs] == []


def test_a_paused_job_is_resumed(client, paused, panel):
    panel.refresh()
    panel.table.selected = [paused.id]
    assert panel.toolbar.offers == {"cancel": "", "resume": ""}
    panel.control("resume").result()
    assert panel.status.text == "Resume: 1 job, done."
    client.jobs[paused.id].wait()
    panel.refresh()
    assert states(panel) == {paused.id: "Success"}


def test_a_cancelled_job_is_resubmitted(client, study, panel):
    job = paused_job(lambda: client.jobs.submit(f"{study.path}/anonymize"))
    panel.refresh()
    panel.table.selected = [job.id]
    panel.control("cancel").result()
    assert states(panel)[job.id] == "Canceled"
    assert panel.table.rows[0]["words"] == ""
    assert panel.toolbar.offers == {"resubmit": "", "delete": ""}
    panel.control("resubmit").result()
    assert not panel.status.is_warning
    assert job.refresh().wait().state is JobState.SUCCESS


def test_an_archive_that_was_cancelled_cannot_be_resubmitted(client, paused, panel):
    panel.refresh()
    panel.table.selected = [paused.id]
    panel.control("cancel").result()
    assert panel.toolbar.offers == {"delete": ""}
    with pytest.raises(ResponseError, match="Cannot resubmit the creation of an archive"):
        paused.resubmit()


def test_before_many_are_deleted_it_is_asked(client, study, panel):
    jobs = [study.archive_job().wait() for _ in range(3)]
    panel.refresh()
    panel.table.selected = [job.id for job in jobs]
    assert panel.toolbar.offers == {"delete": "Delete 3 jobs? This cannot be undone."}
    panel.control("delete").result()
    assert panel.status.text == "Delete: 3 jobs, done."
    assert len(client.jobs) == 0


def test_what_cannot_be_done_is_said_and_the_others_are_done(client, study, panel):
    first, second, third = (study.archive_job().wait() for _ in range(3))
    panel.refresh()
    panel.table.selected = [first.id, second.id, third.id]
    second.delete()
    panel.control("delete").result()
    assert panel.status.is_warning
    assert panel.status.text.startswith(f"Delete: 3 jobs: 1 of 3 failed.\nArchive {second.id[:8]}: ")
    assert len(client.jobs) == 0


@pytest.mark.parametrize("state", list(JobState))
def test_controls_are_those_of_the_state(client, state):
    job = Job(client.transport, {"ID": "1", "State": state.value})
    assert set(offers([job])) == {control for control, states in CONTROLS.items() if state in states}


def test_filters(client, study, paused, panel):
    done = study.media_job().wait()
    panel.refresh()
    assert set(states(panel)) == {done.id, paused.id}
    assert set(panel.filter.type.options) == {"All", "Archive", "Media"}
    for control, value, left in (
        (panel.filter.state, "Active", {paused.id}),
        (panel.filter.state, "Ended", {done.id}),
        (panel.filter.state, "Paused", {paused.id}),
        (panel.filter.type, "Media", {done.id}),
        (panel.filter.text, f"archive {paused.id[:6].upper()}", {paused.id}),
        (panel.filter.text, "nothing like it", set()),
    ):
        before, control.value = control.value, value
        assert set(states(panel)) == left
        control.value = before
    panel.filter.state.value = "Success"
    assert panel.table.note == "1 of 2 jobs"
    panel.refresh()
    assert set(states(panel)) == {done.id}


def test_a_job_that_the_filter_hides_is_selected_no_more(client, paused, panel):
    panel.refresh()
    panel.table.selected = [paused.id]
    panel.filter.state.value = "Ended"
    assert panel.table.selected == []
    assert panel.toolbar.offers == {}


def test_times_of_a_row(client, study):
    job = study.archive_job().wait()
    shown = row(job, job.completed + timedelta(hours=1))
    assert shown["created"] == job.created.strftime("%Y-%m-%dT%H:%M:%S")
    assert shown["elapsed"] == pytest.approx((job.completed - job.created).total_seconds(), abs=0.005)
    assert shown["left"] is None
    running = Job(client.transport, {**job.document, "State": "Running"})
    running._document |= {"EstimatedTimeOfArrival": "20260101T000130.000000", "CreationTime": "20260101T000000.000000"}
    del running._document["CompletionTime"]
    shown = row(running, running.created + timedelta(seconds=75))
    assert (shown["elapsed"], shown["left"]) == (75, 15)


def test_the_outcome_of_a_download_goes_with_its_job(client, study, panel):
    first, second = study.archive_job().wait(), study.archive_job().wait()  # MediaArchiveSize is 1
    panel.refresh()
    panel.table.selected = [first.id]
    panel.download._handle_custom_msg({"ask": "start", "token": "1"}, [])
    panel.download._queue.submit(lambda: None).result()
    assert panel.download.state == "failed"
    assert "The server has no archive of this job: it was streamed" in panel.download.words
    panel.refresh()
    assert panel.download.words
    panel.table.selected = [second.id]
    assert (panel.download.state, panel.download.words) == ("", "")


def test_the_archive_of_the_selected_job_is_downloaded(client, study, panel, tmp_path):
    job = study.archive_job().wait()
    panel.refresh()
    assert panel.download.disabled
    panel.table.selected = [job.id]
    assert not panel.download.disabled
    path = panel.download.save_beside(tmp_path)
    assert path.name == f"Archive-{job.id[:8]}.zip"
    assert panel.table.rows[0]["words"].startswith(f"{len(study.instances)} instances, ")
    assert path.stat().st_size == int(job.content["ArchiveSize"])


def test_the_size_of_a_small_archive_has_a_unit_that_fits(client, panel):
    client.create_dicom(None, {"PatientID": "small"}).series.archive_job().wait()
    panel.refresh()
    assert re.fullmatch(r"1 instance, [1-9]\d\d bytes before compression", panel.table.rows[0]["words"])


def test_an_archive_that_the_server_keeps_no_more_is_said_so(client, study, panel, tmp_path):
    job = study.archive_job().wait()
    study.archive_job().wait()  # MediaArchiveSize is 1
    panel.refresh()
    panel.table.selected = [job.id]
    with pytest.raises(ClientError, match="MediaArchiveSize"):
        panel.download.save_beside(tmp_path)


def test_while_the_server_is_away_nothing_is_offered():
    with orthanc_lab.serve(process=True) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"))
        job = client.studies.find()[0].archive_job().wait()
        panel = JobsPanel(client)
        panel.table.selected = [job.id]
        server.kill()
        panel.refresh()
        assert panel.table.selected == [job.id]
        assert (panel.toolbar.offers, panel.download.disabled) == ({}, True)
        server.restart()
        panel.refresh()
        assert (panel.toolbar.offers, panel.download.disabled) == ({"delete": ""}, False)


@pytest.fixture
def many(client, study):
    """200 jobs (the real one keeps ten that have ended), some of which are active."""
    jobs = [client.archive_job(study, priority=number) for number in range(200)]
    yield jobs
    for job in client.jobs:
        with suppress(ResponseError):  # it has ended, or is forgotten
            job.cancel()


def test_200_jobs_are_few_messages(client, many):
    with hear() as recorder:
        panel = JobsPanel(client)
        panel.table.selected = [job.id for job in many if job.id in panel._jobs]
        recorder.taken()
        for _ in range(5):
            panel.refresh()
            messages = recorder.taken()
            assert len(messages) <= 5, [list(data.get("state", data)) for _, data, _ in messages]
        panel.close()


def test_a_refresh_without_news_sends_nothing(client, study):
    for _ in range(3):
        study.archive_job().wait()
    with hear() as recorder:
        panel = JobsPanel(client)
        recorder.taken()
        panel.refresh()
        assert recorder.taken() == []


def test_of_very_many_jobs_the_ones_that_matter_are_shown(client, study, paused, panel, monkeypatch):
    """A page stands still for seconds if it is to draw ten thousand rows."""
    monkeypatch.setattr("orthanc_lab.widgets.jobs.panel._MOST_ROWS", 3)
    ended = [study.archive_job().wait() for _ in range(4)]
    panel.refresh()
    assert list(states(panel)) == [ended[3].id, ended[2].id, paused.id]
    assert panel.table.note == "3 of 5 jobs"
    panel.filter.text.value = ended[0].id
    assert list(states(panel)) == [ended[0].id]


def test_rows_are_json(client, paused, panel):
    panel.refresh()
    assert json.loads(json.dumps(panel.table.rows)) == panel.table.rows


def test_a_saved_notebook_shows_the_jobs(client, study, panel):
    study.archive_job().wait()
    panel.refresh()
    html = panel._repr_mimebundle_()["text/html"]
    assert "Archive" in html
    assert "Success" in html


def test_a_modification_says_how_many_instances_it_makes(client, study):
    study.anonymize().wait(progress=False)
    panel = JobsPanel(client)
    assert panel.table.rows[0]["words"] == f"{len(study.instances)} instances"
    panel.close()
