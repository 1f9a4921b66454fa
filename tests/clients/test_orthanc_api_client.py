"""orthanc-api-client: upload, asynchronous archive, wait, download, create, find, modify, anonymize, metrics."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.exceptions import BadFileFormat, ResourceNotFound
from orthanc_api_client.job import Job, JobStatus, JobType

from orthanc_lab import samples


@pytest.fixture
def client(url: str) -> Iterator[OrthancApiClient]:
    client = OrthancApiClient(url)
    yield client
    client._http_session.close()  # it has no method to let go of its connections


@pytest.fixture
def study(client: OrthancApiClient) -> str:
    client.upload_folder(str(samples.path("ct")))
    return client.studies.get_all_ids()[0]


def test_it_recognises_the_server(client: OrthancApiClient) -> None:
    assert client.is_alive()
    assert client.wait_started(timeout=30)
    assert client.is_orthanc_version_at_least(1, 12, 7)
    assert not client.is_orthanc_version_at_least(1, 12, 8)
    assert client.capabilities.has_extended_find
    assert client.capabilities.has_extended_changes
    assert client.capabilities.has_label_support
    assert not client.capabilities.has_revision_support


def test_upload_and_statistics(client: OrthancApiClient, study: str) -> None:
    files = samples.dicom_files("ct")
    statistics = client.get_statistics()
    assert statistics.instances_count == len(files)
    assert statistics.total_disk_size == sum(path.stat().st_size for path in files)
    assert client.upload_file(str(files[0]))[0] in client.studies.get_instances_ids(study)
    with pytest.raises(BadFileFormat):
        client.upload(b"this is not DICOM")


def test_asynchronous_archive_is_waited_for_and_downloaded(client: OrthancApiClient, study: str) -> None:
    answer = client.post(f"studies/{study}/archive", json={"Asynchronous": True})
    job = Job(client, answer.json()["ID"])
    assert job.wait_completed(timeout=20, polling_interval=0.02)
    assert (job.info.status, job.info.type) == (JobStatus.SUCCESS, JobType.ARCHIVE)
    assert job.content["InstancesCount"] == len(samples.dicom_files("ct"))
    assert client.get_binary(f"jobs/{job.orthanc_id}/archive").startswith(b"PK")


def test_archive_and_media_at_once(client: OrthancApiClient, study: str, tmp_path: Path) -> None:
    client.studies.download_archive(study, str(tmp_path / "archive.zip"))
    client.studies.download_media(study, str(tmp_path / "media.zip"))
    count = len(samples.dicom_files("ct"))
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive, zipfile.ZipFile(tmp_path / "media.zip") as media:
        assert len(archive.namelist()) == count
        assert media.namelist()[-1] == "DICOMDIR"
    assert len(client.studies.download_instances(study, str(tmp_path))) == count


def test_create_from_png_jpeg_and_pdf(client: OrthancApiClient, study: str, tmp_path: Path) -> None:
    image = client.create_instance_from_png(str(samples.path("chart.png")), {"Modality": "OT"}, parent_id=study)
    photo = client.create_instance_from_jpeg(str(samples.path("chart.jpg")), {"PatientID": "new"})
    report = client.create_pdf(str(samples.path("report.pdf")), {"SeriesDescription": "report"}, parent_id=study)
    assert client.instances.get_parent_study_id(image) == study
    assert client.instances.get_parent_study_id(photo) != study
    assert client.instances.get_tags(image)["Modality"] == "OT"
    assert client.instances.is_pdf(report)
    assert client.studies.get_pdf_instances(study) == [report]
    client.instances.download_pdf(report, str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_find_and_lookup(client: OrthancApiClient, study: str) -> None:
    info = client.studies.get(study)
    uid = info.dicom_id
    assert client.studies.lookup(uid) == study
    assert client.studies.lookup("1.2.3.4") is None
    client.studies.add_labels(study, ["one", "two"])
    found = client.studies.find({"StudyInstanceUID": uid}, labels=["one"], requested_tags=["ModalitiesInStudy"])
    assert [item.orthanc_id for item in found] == [study]
    assert found[0].requested_tags.get("ModalitiesInStudy") == "CT"
    order = [{"Type": "DicomTag", "Key": "StudyDate", "Direction": "DESC"}]
    assert len(client.studies.find({}, order_by=order, limit=1)) == 1
    assert client.studies.find({"PatientID": "nobody"}) == []
    assert sorted(client.get_all_labels()) == ["one", "two"]


def test_tags_metadata_and_changes(client: OrthancApiClient, study: str) -> None:
    instance = client.studies.get_first_instance_id(study)
    assert client.instances.get_tags(instance)["0008-0060"] == "CT"
    assert client.instances.get_metadata(instance)["Origin"] == "RestApi"
    assert client.studies.get_modalities(study) == {"CT"}
    client.studies.set_string_metadata(study, "1024", "hello")
    assert client.studies.get_string_metadata(study, "1024") == "hello"
    content, revision = client.studies.get_string_metadata_with_revision(study, "1024")
    client.studies.set_string_metadata(study, "1024", content + " again", match_revision=revision)
    client.studies.set_attachment(study, "1025", content="attached")
    assert client.studies.get_attachment(study, "1025") == b"attached"
    changes, last, done = client.get_changes(since=0, limit=5)
    assert len(changes) == 5
    assert not done
    assert last == changes[-1].sequence_id


def test_modify_merge_and_anonymize(client: OrthancApiClient, study: str) -> None:
    modified = client.studies.modify(study, replace_tags={"StudyDescription": "changed"}, delete_original=False)
    assert client.studies.get(modified).main_dicom_tags.get("StudyDescription") == "changed"
    moved = client.studies.get_series_ids(modified)[0]
    client.studies.merge(study, moved, keep_source=False)
    assert moved not in client.studies.get_series_ids(modified)
    anonymous = client.studies.anonymize(study, replace_tags={"PatientName": "Nobody"}, delete_original=True)
    assert client.studies.get(anonymous).patient_main_dicom_tags.get("PatientName") == "Nobody"
    assert not client.studies.exists(study)


def test_bulk_modification(client: OrthancApiClient, study: str) -> None:
    instances, _, studies, _ = client.studies.modify_bulk(
        [study], replace_tags={"PatientComments": "seen"}, delete_original=False
    )
    assert len(instances) == len(samples.dicom_files("ct"))
    assert [client.studies.get(item).dicom_id for item in studies] != [client.studies.get(study).dicom_id]
    job = client.studies.anonymize_bulk_async([study])
    assert job.wait_completed(timeout=20, polling_interval=0.02)
    assert job.info.status == JobStatus.SUCCESS


def test_metrics_and_log_level(client: OrthancApiClient, study: str) -> None:
    assert int(client.get_metrics().get("orthanc_count_instances")) == len(samples.dicom_files("ct"))
    assert client.get_log_level() == "default"


def test_errors_have_their_own_classes(client: OrthancApiClient) -> None:
    with pytest.raises(ResourceNotFound):
        client.studies.get_tags("nope")
    assert not client.studies.exists("nope")


def test_deletion(client: OrthancApiClient, study: str) -> None:
    client.studies.delete(study)
    client.studies.delete(study, ignore_errors=True)
    assert client.studies.get_all_ids() == []
    client.delete_all_content()
    assert client.get_statistics().patients_count == 0
