"""The server a client talks to: ours, and the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.client.nodes import archive, archive_of_module, network, network_server

__all__ = ["archive", "archive_of_module", "network", "network_server", "url"]


@pytest.fixture(scope="session")
def our_server() -> Iterator[orthanc_lab.EmbeddedServer]:
    with orthanc_lab.serve() as server:
        yield server


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a fresh server listens."""
    if request.param == "real":
        request.getfixturevalue("real_program")
        with RealOrthanc(KeepAliveTimeout=60) as real:  # a pause of a busy machine closes no connection
            yield real.url
    else:
        ours = request.getfixturevalue("our_server")
        ours.renew()
        yield ours.url
