"""A DICOM node, and a server that knows it: ours, and the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.real import RealOrthanc

__all__ = ["archive", "archive_of_module", "network", "network_server"]

OPTIONS = {"DicomAet": "LAB", "DicomServerEnabled": True, "DicomScuTimeout": 5}


@pytest.fixture(scope="module")
def archive_of_module() -> Iterator[DicomNode]:
    with DicomNode(samples.path("mr"), aet="ARCHIVE") as node:
        yield node


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def network_server(request: pytest.FixtureRequest, archive_of_module: DicomNode) -> Iterator[Client]:
    if request.param == "real":
        request.getfixturevalue("real_program")
    serve = RealOrthanc if request.param == "real" else orthanc_lab.serve
    with serve(**OPTIONS, KeepAliveTimeout=60) as server:  # a pause of a busy machine closes no connection
        archive_of_module.know("LAB", server.dicom_port)
        yield Client(server.url)


@pytest.fixture
def archive(archive_of_module: DicomNode) -> DicomNode:
    """A node with twelve slices of MR; it knows the server as LAB."""
    archive_of_module.recover()
    archive_of_module.clear()
    return archive_of_module


@pytest.fixture
def network(network_server: Client, archive: DicomNode) -> Client:
    """A client of a server with ten slices of CT, which knows the archive."""
    client = network_server
    for patient in client.patients:
        patient.delete()
    for name in client.modalities:
        client.modalities[name].remove()
    for job in client.jobs:
        if job.state.is_final:
            job.delete()
    client.upload(samples.path("ct/sharp"))
    client.modalities.add("archive", **archive.modality())
    return client
