"""pyorthanc: upload, asynchronous archive, wait, download, create, find, modify, anonymize, metrics."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyorthanc
import pytest
from pyorthanc.jobs import Job, State

from orthanc_lab import samples


@pytest.fixture
def client(url: str) -> Iterator[pyorthanc.Orthanc]:
    with pyorthanc.Orthanc(url, timeout=30) as client:
        yield client


@pytest.fixture
def study(client: pyorthanc.Orthanc) -> pyorthanc.Study:
    instances = [pyorthanc.upload(client, path)[0] for path in samples.dicom_files("ct")]
    return instances[0].parent_study


def test_upload_says_where_it_went(client: pyorthanc.Orthanc) -> None:
    path = samples.dicom_files("mr")[0]
    first = pyorthanc.upload(client, path)[0]
    again = pyorthanc.upload(client, path, check_before_upload=True)[0]
    assert again.identifier == first.identifier == client.get_instances()[0]
    assert first.get_dicom_file_content() == path.read_bytes()
    assert first.get_pydicom().SOPInstanceUID == first.uid


def test_asynchronous_archive_is_waited_for_and_downloaded(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    answer = client.post_studies_id_archive(study.id_, {"Asynchronous": True, "Priority": 5})
    job = Job(answer["ID"], client)
    job.wait_until_completion(time_interval=0.02)
    assert (job.state, job.type, job.priority, job.progress) == (State.success, "Archive", 5, 100)
    assert job.error == pyorthanc.jobs.ErrorCode.SUCCESS
    assert job.error_details == ""
    assert job.completion_time >= job.creation_time
    archive = zipfile.ZipFile(io.BytesIO(client.get_jobs_id_key(job.id_, "archive")))
    assert archive.testzip() is None
    assert len(archive.namelist()) == job.content["InstancesCount"] == len(samples.dicom_files("ct"))


def test_archive_of_a_study_at_once(study: pyorthanc.Study) -> None:
    archive = zipfile.ZipFile(io.BytesIO(study.get_zip()))
    assert sorted(archive.read(name) for name in archive.namelist()) == sorted(
        path.read_bytes() for path in samples.dicom_files("ct")
    )


def test_download_with_its_progress_bar_off(study: pyorthanc.Study, tmp_path: Path) -> None:
    study.download(str(tmp_path / "study.zip"))
    assert zipfile.is_zipfile(tmp_path / "study.zip")


def test_create_dicom_from_png_and_pdf(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    made = []
    for name, mime in (("chart.png", "image/png"), ("report.pdf", "application/pdf")):
        content = base64.b64encode(samples.path(name).read_bytes()).decode()
        body = {"Parent": study.id_, "Tags": {"SeriesDescription": name}, "Content": f"data:{mime};base64,{content}"}
        made.append(pyorthanc.Instance(client.post_tools_create_dicom(body)["ID"], client))
    image, document = made
    assert image.parent_study == document.parent_study == study
    assert image.parent_series.description == "chart.png"
    assert client.get_instances_id_pdf(document.id_).startswith(b"%PDF-")


def test_find(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    study.add_label("mine")
    assert [found.id_ for found in pyorthanc.find_studies(client, {"PatientID": "*"}, labels="mine")] == [study.id_]
    assert pyorthanc.find_studies(client, {"PatientID": "nobody"}) == []
    assert len(pyorthanc.find_series(client, {"Modality": "CT"})) == len(study.series)
    assert [patient.id_ for patient in pyorthanc.find_patients(client)] == [study.parent_patient.id_]
    study.remove_label("mine")
    assert study.labels == []


def test_modify_as_a_job(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    job = study.modify_as_job(replace={"StudyDescription": "changed"}, keep_source=True)
    job.wait_until_completion(time_interval=0.02)
    assert job.state == State.success
    modified = pyorthanc.Study(job.content["ID"], client)
    assert modified.description == "changed"
    assert study.description != "changed"


def test_anonymize(study: pyorthanc.Study) -> None:
    anonymous = study.anonymize(keep=["StudyDescription"], replace={"PatientName": "Nobody"})
    assert anonymous.id_ != study.id_
    assert anonymous.description == study.description
    assert anonymous.patient_information["PatientName"] == "Nobody"


def test_metrics(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    lines = dict(line.split(" ")[:2] for line in client.get_tools_metrics_prometheus().splitlines())
    assert int(lines["orthanc_count_instances"]) == len(samples.dicom_files("ct"))
    assert int(lines["orthanc_count_studies"]) == 1


def test_errors_reach_the_caller(client: pyorthanc.Orthanc) -> None:
    with pytest.raises(httpx.HTTPError):
        client.get_studies_id("nope")
    with pytest.raises(httpx.HTTPError):
        client.post_instances(b"this is not DICOM")


def test_deletion(client: pyorthanc.Orthanc, study: pyorthanc.Study) -> None:
    series = study.series
    client.delete_series_id(series[0].id_)
    assert client.get_statistics()["CountSeries"] == len(series) - 1
    client.delete_patients_id(study.parent_patient.id_)
    assert client.get_studies() == []
