"""The list of nodes, echo, sending and fetching by pyorthanc and orthanc-api-client, unmodified."""

from __future__ import annotations

from collections.abc import Iterator

import pyorthanc
import pytest
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.exceptions import ResourceNotFound
from orthanc_api_client.job import JobStatus, JobType

from orthanc_lab import Client
from orthanc_lab.testing.dicom_node import DicomNode


@pytest.fixture
def py_client(network: Client) -> Iterator[pyorthanc.Orthanc]:
    with pyorthanc.Orthanc(network.url, timeout=30) as client:
        yield client


@pytest.fixture
def api_client(network: Client) -> Iterator[OrthancApiClient]:
    client = OrthancApiClient(network.url)
    yield client
    client._http_session.close()  # it has no method to let go of its connections


def test_pyorthanc_echoes_and_stores(py_client: pyorthanc.Orthanc, archive: DicomNode) -> None:
    modality = pyorthanc.Modality(py_client, "archive")
    assert modality.echo()
    (study,) = py_client.get_studies()
    assert modality.store({"Resources": [study], "Synchronous": True})["InstancesCount"] == 10
    assert len(archive.instances) == 10
    assert modality.store(study)["RemoteAet"] == "ARCHIVE"


def test_pyorthanc_hears_of_a_node_that_fails(py_client: pyorthanc.Orthanc, archive: DicomNode) -> None:
    archive.refuse_association()
    assert not pyorthanc.Modality(py_client, "archive").echo()


def test_pyorthanc_manages_the_list(py_client: pyorthanc.Orthanc) -> None:
    py_client.put_modalities_id("spare", {"AET": "SPARE", "Host": "127.0.0.1", "Port": 104})
    assert py_client.get_modalities() == ["archive", "spare"]
    assert py_client.get_modalities_id_configuration("spare")["AET"] == "SPARE"
    py_client.delete_modalities_id("spare")
    assert py_client.get_modalities() == ["archive"]


def test_orthanc_api_client_manages_the_list(api_client: OrthancApiClient) -> None:
    modalities = api_client.modalities
    modalities.configure("spare", {"AET": "SPARE", "Host": "127.0.0.1", "Port": 104})
    assert modalities.get_all_ids() == ["archive", "spare"]
    assert modalities.get_configuration("spare")["Port"] == 104
    assert modalities.get_id_from_aet("SPARE") == "spare"
    modalities.delete("spare")
    with pytest.raises(ResourceNotFound):
        modalities.get_id_from_aet("SPARE")


def test_orthanc_api_client_sends(api_client: OrthancApiClient, archive: DicomNode) -> None:
    (study,) = api_client.studies.get_all_ids()
    api_client.modalities.send("archive", study, timeout=20)
    assert len(archive.instances) == 10
    job = api_client.modalities.send_async("archive", [study], local_aet="ANOTHER")
    job.wait_completed(polling_interval=0.02)
    assert (job.info.status, job.info.type) == (JobStatus.SUCCESS, JobType.DICOM_MODALITY_STORE)
    archive.wait_until_idle()
    assert archive.associations[-1].calling_aet == "ANOTHER"


def test_orthanc_api_client_fetches_series_and_instances(api_client: OrthancApiClient, archive: DicomNode) -> None:
    first, second = archive.datasets[:2]
    study, series = first.StudyInstanceUID, first.SeriesInstanceUID
    api_client.modalities.get_instance("archive", first.SOPInstanceUID, series, study)
    api_client.modalities.move_instance("archive", second.SOPInstanceUID, series, study)
    found = api_client.series.lookup(series)
    assert len(api_client.series.get_instances_ids(found)) == 2
    api_client.modalities.get_series("archive", series, study)
    assert len(api_client.series.get_instances_ids(found)) == 12
    with DicomNode(aet="ELSEWHERE") as elsewhere:
        archive.know("ELSEWHERE", elsewhere.port)
        api_client.modalities.move_series("archive", series, study, to_modality_aet="ELSEWHERE")
        assert len(elsewhere.instances) == 12


def test_orthanc_api_client_queries_a_worklist(api_client: OrthancApiClient) -> None:
    found = api_client.modalities.find_worklist("archive", {"PatientID": "PHANTOM-MR"})
    assert {item["PatientID"] for item in found} == {"PHANTOM-MR"}
