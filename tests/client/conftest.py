"""The servers a client is tested on: ours, and the real one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.client import NotFoundError, Study
from orthanc_lab.testing.real import RealOrthanc
from tests.client.nodes import archive, archive_of_module, network, network_server

__all__ = ["archive", "archive_of_module", "client", "network", "network_server", "server_url", "study"]


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)], scope="session")
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a server listens for the whole run; `client` empties it before each test."""
    if request.param == "real":
        request.getfixturevalue("real_program")
    serve = RealOrthanc if request.param == "real" else orthanc_lab.serve
    with serve(ConcurrentJobs=2, KeepAliveTimeout=60) as server:  # a pause of a busy machine closes no connection
        yield server.url


@pytest.fixture
def client(server_url: str) -> Iterator[Client]:
    with Client(server_url) as client:
        for patient in list(client.patients):
            patient.delete()
        for job in client.jobs:
            if not job.state.is_final:
                job.cancel()
            with contextlib.suppress(NotFoundError):  # one that ends meanwhile may leave the history by itself
                job.delete()
        yield client


@pytest.fixture
def study(client: Client) -> Study:
    """A CT study at the server."""
    client.upload(samples.path("ct"))
    return client.studies.find(PatientName="*", ModalitiesInStudy="CT")[0]
