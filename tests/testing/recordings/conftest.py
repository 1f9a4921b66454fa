"""What the tests of recordings share: two servers, and a small story between a client and one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.exchange import Answer, Exchange, send
from orthanc_lab.testing.real import RealOrthanc


class Server(Protocol):
    url: str


@pytest.fixture(scope="package")
def ours() -> Iterator[orthanc_lab.EmbeddedServer]:
    with orthanc_lab.serve() as server:
        yield server


@pytest.fixture(scope="package")
def real(real_program: str) -> Iterator[RealOrthanc]:
    with RealOrthanc() as server:
        yield server


@pytest.fixture(params=["ours", "real"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two servers, without any resource."""
    found = request.getfixturevalue(request.param)
    for patient in requests.get(f"{found.url}/patients", timeout=30).json():
        requests.delete(f"{found.url}/patients/{patient}", timeout=30)
    return found


STORY = (
    Exchange("GET", "/instances"),
    Exchange("POST", "/instances", samples.dicom_files("ct")[0].read_bytes()),
    Exchange("GET", "/instances"),
    Exchange("GET", "/studies?expand"),
    Exchange("GET", "/nothing%2Fhere?a=%20b"),
    Exchange("HEAD", "/system"),
    Exchange("POST", "/tools/find", b'{"Level": "Instance", "Query": {"Modality": "CT"}, "Expand": true}'),
    Exchange("GET", "/changes?since=0&limit=1"),
    Exchange("DELETE", "/studies/00000000-00000000-00000000-00000000-00000000"),
)


def tell(url: str) -> list[Answer]:
    """Send the story, and return the answers."""
    return [send(url, exchange) for exchange in STORY]
