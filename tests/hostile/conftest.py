"""One server in a child process for the whole folder: what kills it, kills no test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab


@pytest.fixture(scope="package")
def child() -> Iterator[orthanc_lab.ChildServer]:
    # A pause of a busy machine closes no connection just when it is used again.
    with orthanc_lab.serve(process=True, HttpRequestTimeout=2, KeepAliveTimeout=5) as server:
        yield server


@pytest.fixture
def server(child: orthanc_lab.ChildServer) -> Iterator[orthanc_lab.ChildServer]:
    """The server, which must be alive, empty and without an error of its own after each test."""
    pid = child.pid
    yield child
    assert child.session.get(f"{child.url}/system", timeout=10).json()["Version"] == "1.12.7"
    assert child.pid == pid
    assert child.errors == []
    for patient in child.session.get(f"{child.url}/patients", timeout=10).json():
        child.session.delete(f"{child.url}/patients/{patient}", timeout=10)
    left = child.session.get(f"{child.url}/statistics", timeout=10).json()
    assert (left["CountInstances"], left["TotalDiskSize"]) == (0, "0")
