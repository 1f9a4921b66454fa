"""A server without a file descriptor left says so, answers again as soon as it has some, and reports no fault."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import orthanc_lab
from tests.hostile.asking import ask, refusal
from tests.rest.files import dicom_file

LARGE = dicom_file("files", "1.2", "1.2.3", "1.2.3.8", EncapsulatedDocument=bytes(200_000))


@contextmanager
def without_descriptors(server: orthanc_lab.ChildServer) -> Iterator[None]:
    """Let a server open nothing that it has not open already."""
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, limits[1]))  # standard input, output and error
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def server() -> Iterator[orthanc_lab.ChildServer]:
    """A server to which the connection of its session stays open."""
    with orthanc_lab.serve(process=True, KeepAliveTimeout=100) as server:
        yield server
        assert server.errors == []


def test_uploads_and_downloads(server: orthanc_lab.ChildServer) -> None:
    stored = ask(server, "POST", "/instances", data=LARGE).json()
    other = LARGE.replace(b"1.2.3.8", b"1.2.3.9")
    with without_descriptors(server):
        # On the connection that is open already.
        assert refusal(ask(server, "POST", "/instances", data=other))[0] == 503
        assert refusal(ask(server, "GET", f"{stored['Path']}/preview"))[0] in (503, 404, 400, 415)
        assert ask(server, "GET", "/system").status_code == 200
    assert ask(server, "POST", "/instances", data=other).status_code == 200
    assert ask(server, "GET", f"{stored['Path']}/file").content == LARGE
