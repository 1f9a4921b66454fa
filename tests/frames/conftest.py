"""Servers with a few studies: ours, and the real one."""

from __future__ import annotations

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc


@pytest.fixture(scope="session")
def our_server():
    with orthanc_lab.serve(JobsHistorySize=100) as server:
        yield server


@pytest.fixture(params=["house", pytest.param("real", marks=pytest.mark.real)])
def client(request):
    """Lend a client of an empty server."""
    if request.param == "real":
        request.getfixturevalue("real_program")
        options = {"JobsHistorySize": 100, "KeepAliveTimeout": 60}  # a pause of a busy machine closes no connection
        with RealOrthanc(**options) as server, orthanc_lab.Client(server.url) as client:
            yield client
    else:
        server = request.getfixturevalue("our_server")
        server.renew()
        with orthanc_lab.Client(server.url) as client:
            yield client


@pytest.fixture
def filled(client):
    """Lend a client of a server with one CT study of 31 instances."""
    client.upload(samples.path("ct"))
    return client
