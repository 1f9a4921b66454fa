"""The pair of servers that answer the same DICOM requests, and the files that both have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
import requests

import orthanc_lab
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.dicom_node import DicomNode
from orthanc_lab.testing.real import RealOrthanc
from tests.twin.all_bodies import build

FILES = (
    "a1", "a2", "a3", "b1", "c1", "d1", "french", "japanese", "russian", "korean", "german", "greek", "ct", "report",
    "nested", "private",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    """A server of the pair."""

    url: str
    dicom_port: int
    node: DicomNode  # it knows this one as PROBE

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


def options(node: DicomNode) -> dict[str, object]:
    return {
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {"probe": node.modality(), "dead": ["DEAD", "127.0.0.1", 1]},
        "StableAge": 600,
    }


@pytest.fixture(scope="session")
def ours() -> Iterator[Server]:
    with DicomNode(aet="PROBE") as node, orthanc_lab.serve(options(node)) as server:
        fill(server.url)
        node.know("ORTHANC", server.dicom_port)
        yield Server(server.url, server.dicom_port, node)


@pytest.fixture(scope="session")
def real(real_program: str) -> Iterator[Server]:
    port = free_port()
    with (
        DicomNode(aet="PROBE") as node,
        RealOrthanc(
            **{"DicomServerEnabled": True, "DicomPort": port, "DicomAet": "ORTHANC", **options(node)}
        ) as server,
    ):
        fill(server.url)
        node.know("ORTHANC", port)
        yield Server(server.url, port, node)
