"""C-FIND of clients: dcmtk's, pynetdicom's, and what only a client sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import orthanc_lab
from orthanc_lab.testing.dicom_peer import DicomPeer, DicomPeerError
from orthanc_lab.testing.scenarios.bodies.files import slice_of, written


@pytest.fixture(scope="module")
def server() -> Iterator[orthanc_lab.EmbeddedServer]:
    with orthanc_lab.serve(DicomAlwaysAllowFind=True) as running:
        with orthanc_lab.Client(running.url) as client:
            client.upload([written(slice_of(f"P{number:02}", f"5{number}", "1", 1)) for number in range(30)])
        yield running


@pytest.fixture
def peer(server: orthanc_lab.EmbeddedServer) -> DicomPeer:
    return DicomPeer(server.dicom_port)


def test_answers_have_what_was_asked_for(peer: DicomPeer) -> None:
    (answer,) = peer.find("STUDY", PatientID="P07", StudyDescription="", NumberOfStudyRelatedInstances="")
    assert answer.StudyDescription == "Study 57"
    assert answer.NumberOfStudyRelatedInstances == 1
    assert answer.RetrieveAETitle == "ORTHANC"


def test_a_pattern_for_a_date_is_refused(peer: DicomPeer) -> None:
    with pytest.raises(DicomPeerError, match="C000"):
        peer.find("STUDY", StudyDate="2020*")


def test_metrics_tell_how_long_a_query_took(server: orthanc_lab.EmbeddedServer, peer: DicomPeer) -> None:
    peer.find("STUDY", PatientID="none")
    metrics = requests.get(f"{server.url}/tools/metrics-prometheus", timeout=30).text
    assert "orthanc_find_scp_duration_ms " in metrics
