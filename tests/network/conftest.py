"""The servers of these tests: one that is empty, and the pair that answers the same requests with the same files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest
import requests

import orthanc_lab
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenarios.bodies import build
from tests.network.report_taker import ReportTaker

FILES = (
    "a1", "a2", "a3", "b1", "c1", "d1", "french", "japanese", "russian", "korean", "german", "greek", "ct", "report",
    "nested", "private",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    """A server of the pair."""

    url: str
    dicom_port: int
    node: DicomNode  # that the server knows as PROBE
    taker: ReportTaker

    def job(self) -> dict[str, object]:
        """Return the newest job."""
        jobs = requests.get(f"{self.url}/jobs?expand", timeout=30).json()
        newest: dict[str, object] = max(jobs, key=lambda job: str(job["CreationTime"]))
        return newest


@cache
def bodies() -> dict[str, bytes]:
    return build()


def fill(url: str, *names: str) -> None:
    for name in names or FILES:
        requests.post(f"{url}/instances", bodies()[name], timeout=30).raise_for_status()


def options(node: DicomNode, taker: ReportTaker) -> dict[str, object]:
    return {
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {
            "probe": node.modality(),
            "dead": ["DEAD", "127.0.0.1", 1],
            "taker": [taker.aet, "127.0.0.1", taker.port],
        },
        "StableAge": 600,
    }


@contextmanager
def our_server(**more: object) -> Iterator[Server]:
    with (
        DicomNode(aet="PROBE") as node,
        ReportTaker() as taker,
        orthanc_lab.serve(options(node, taker) | more) as server,
    ):
        fill(server.url)
        yield Server(server.url, server.dicom_port, node, taker)


@contextmanager
def real_server(**more: object) -> Iterator[Server]:
    port = free_port()
    listening = {"DicomServerEnabled": True, "DicomPort": port, "DicomAet": "ORTHANC"}
    with (
        DicomNode(aet="PROBE") as node,
        ReportTaker() as taker,
        RealOrthanc(**listening, **options(node, taker), **more) as server,
    ):
        fill(server.url)
        yield Server(server.url, port, node, taker)


@pytest.fixture(scope="session")
def ours() -> Iterator[Server]:
    with our_server() as server:
        yield server


@pytest.fixture(scope="session")
def real(real_program: str) -> Iterator[Server]:
    with real_server() as server:
        yield server


@pytest.fixture(scope="module")
def shared() -> Iterator[orthanc_lab.EmbeddedServer]:
    with orthanc_lab.serve(DicomScpTimeout=1) as server:
        yield server


@pytest.fixture
def server(shared: orthanc_lab.EmbeddedServer) -> Iterator[orthanc_lab.EmbeddedServer]:
    """A server that is empty, and has reported no error of its own at the end."""
    yield shared
    assert shared.errors == []
    for patient in shared.session.get(f"{shared.url}/patients", timeout=10).json():
        shared.session.delete(f"{shared.url}/patients/{patient}", timeout=10)
