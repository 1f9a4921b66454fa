"""The real Orthanc as the node that we send to: it has every instance, as we have it."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.real import RealOrthanc

pytestmark = pytest.mark.real


def upload(url: str, paths: list[Path]) -> None:
    for path in paths:
        assert requests.post(f"{url}/instances", data=path.read_bytes(), timeout=60).status_code == 200


def test_the_real_orthanc_receives_what_we_have(real_program: str) -> None:
    port = free_port()
    with (
        RealOrthanc(DicomServerEnabled=True, DicomPort=port, DicomAet="REAL", OverwriteInstances=True) as real,
        orthanc_lab.serve(DicomModalities={"real": ["REAL", "127.0.0.1", port]}, DicomAet="OURS") as ours,
    ):
        upload(ours.url, [*samples.dicom_files("mr"), *samples.dicom_files("us"), *samples.dicom_files("ct/localizer")])
        assert requests.post(f"{ours.url}/modalities/real/echo", timeout=60).json() == {}
        patients = requests.get(f"{ours.url}/patients", timeout=60).json()
        sent = requests.post(f"{ours.url}/modalities/real/store", json=patients, timeout=60).json()
        assert sent["FailedInstancesCount"] == 0
        instances = requests.get(f"{ours.url}/instances", timeout=60).json()
        assert requests.get(f"{real.url}/instances", timeout=60).json() == instances
        for id in instances:
            ours_tags, real_tags = (
                requests.get(f"{url}/instances/{id}/tags", timeout=60).json() for url in (ours.url, real.url)
            )
            assert ours_tags == real_tags
            metadata = requests.get(f"{real.url}/instances/{id}/metadata?expand", timeout=60).json()
            mine = requests.get(f"{ours.url}/instances/{id}/metadata?expand", timeout=60).json()
            assert (metadata["RemoteAET"], metadata["CalledAET"]) == ("OURS", "REAL")
            assert metadata["TransferSyntax"] == mine["TransferSyntax"]
