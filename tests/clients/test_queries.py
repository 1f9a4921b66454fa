"""Queries and retrieving by pyorthanc and orthanc-api-client, unmodified, from a node of the test harness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyorthanc
import pytest
from orthanc_api_client import OrthancApiClient
from orthanc_api_client.job import JobStatus, JobType
from orthanc_api_client.retrieve_method import RetrieveMethod

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.real import RealOrthanc

FILES = samples.dicom_files("ct")


class Lab(NamedTuple):
    """A server that knows an archive."""

    url: str
    node: DicomNode


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def serving(request: pytest.FixtureRequest) -> Iterator[Lab]:
    serve = orthanc_lab.serve
    if request.param == "real":
        request.getfixturevalue("real_program")
        serve = RealOrthanc
    port = free_port()
    with DicomNode(*FILES, aet="ARCHIVE") as node:
        node.know("ORTHANC", port)
        modalities = {"archive": node.modality()}
        options = {"DicomServerEnabled": True, "DicomPort": port, "DicomModalities": modalities}
        with serve(**options, KeepAliveTimeout=60) as server:  # a pause of a busy machine closes no connection
            yield Lab(server.url, node)


@pytest.fixture
def pyorthanc_client(serving: Lab) -> Iterator[pyorthanc.Orthanc]:
    with pyorthanc.Orthanc(serving.url, timeout=30) as client:
        yield client
        for patient in client.get_patients():
            client.delete_patients_id(patient)


@pytest.fixture
def api_client(serving: Lab) -> Iterator[OrthancApiClient]:
    client = OrthancApiClient(serving.url)
    yield client
    client.delete_all_content()
    client._http_session.close()  # it has no method to let go of its connections


def test_pyorthanc_finds_and_moves(pyorthanc_client: pyorthanc.Orthanc) -> None:
    client = pyorthanc_client
    modality = pyorthanc.Modality(client, "archive")
    found = modality.find({"Level": "Study", "Query": {"PatientID": "*", "StudyDescription": ""}})
    (answer,) = found["answers"]
    assert answer["QueryRetrieveLevel"] == "STUDY"
    content = modality.move(found["ID"], {"TargetAet": "ORTHANC"})
    assert (content["RemoteAet"], content["TargetAet"]) == ("ARCHIVE", "ORTHANC")
    assert len(client.get_instances()) == len(FILES)
    short = modality.get_query_answers(found["ID"], simplify=False, short=True)
    assert short[0]["0020,000d"] == answer["StudyInstanceUID"]


def test_pyorthanc_moves_by_a_job(pyorthanc_client: pyorthanc.Orthanc) -> None:
    client = pyorthanc_client
    found = pyorthanc.Modality(client, "archive").find({"Level": "Series", "Query": {"Modality": "CT"}})
    answer = client.post_queries_id_retrieve(found["ID"], json={"TargetAet": "ORTHANC", "Asynchronous": True})
    job = pyorthanc.jobs.Job(answer["ID"], client)
    job.wait_until_completion(time_interval=0.02)
    assert (job.state, job.type, job.progress) == (pyorthanc.jobs.State.success, "DicomMoveScu", 100)


def test_pyorthanc_gets(pyorthanc_client: pyorthanc.Orthanc) -> None:
    client = pyorthanc_client
    modality = pyorthanc.Modality(client, "archive")
    (answer,) = modality.query({"Level": "Study", "Query": {}})["answers"]
    modality.get("Study", {"StudyInstanceUID": answer["StudyInstanceUID"]})
    assert len(client.get_instances()) == len(FILES)


@pytest.mark.parametrize("method", [RetrieveMethod.MOVE, RetrieveMethod.GET])
def test_orthanc_api_client_finds_and_retrieves(api_client: OrthancApiClient, method: RetrieveMethod) -> None:
    modalities = api_client.modalities
    (study,) = modalities.query_studies("archive", {"PatientID": "*"})
    assert study.remote_modality_id == "archive"
    found = 0
    for series in modalities.query_series("archive", {"StudyInstanceUID": study.dicom_id}):
        tags = {"StudyInstanceUID": study.dicom_id, "SeriesInstanceUID": series.dicom_id}
        found += len(modalities.query_instances("archive", tags))
    assert found == len(FILES)
    id = modalities.retrieve_study("archive", study.dicom_id, retrieve_method=method)
    assert len(api_client.studies.get_instances_ids(id)) == len(FILES)


def test_orthanc_api_client_moves_by_a_job(api_client: OrthancApiClient) -> None:
    (study,) = api_client.modalities.query_studies("archive", {})
    job = api_client.modalities.move_study_async("archive", study.dicom_id)
    job.wait_completed(polling_interval=0.02)
    assert (job.info.status, job.info.type) == (JobStatus.SUCCESS, JobType.DICOM_MOVE_SCU)
