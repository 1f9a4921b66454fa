"""Folders that a real Orthanc has made: the tests copy them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc
from tests.adoption.answers import Answers, answers

OPTIONS: dict[str, Any] = {
    "UserMetadata": {"reader": 2000},
    "UserContentType": {"report": 2000},
    "LogExportedResources": True,
    "DicomModalitiesInDatabase": True,
    "OrthancPeersInDatabase": True,
    "KeepAliveTimeout": 60,  # a pause of a busy machine closes no connection just when it is used again
}


@dataclass(frozen=True)
class Made:
    """A folder of a real Orthanc that was killed, and what it answered."""

    folder: Path
    answers: Answers


@pytest.fixture(scope="session", params=["plain", "compressed"])
def made(request: pytest.FixtureRequest, real_program: str, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Everything that an index can hold."""
    folder = tmp_path_factory.mktemp(request.param)
    options = OPTIONS | {"StorageCompression": request.param == "compressed"}
    with RealOrthanc(folder=folder, **options) as real, requests.Session() as session:

        def send(method: str, path: str, **named: Any) -> Any:
            answer = session.request(method, real.url + path, timeout=30, **named)
            answer.raise_for_status()
            return answer.json() if answer.content else None

        for file in [*samples.dicom_files("ct")[:4], *samples.dicom_files("mr")[:2]]:
            send("POST", "/instances", data=file.read_bytes())
        instance, study, patient = (send("GET", f"/{level}")[0] for level in ("instances", "studies", "patients"))
        send("PUT", f"/instances/{instance}/metadata/reader", data="Dr Åse".encode())
        send("PUT", f"/studies/{study}/metadata/3000", data="3000")
        send("PUT", f"/studies/{study}/labels/urgent")
        send("PUT", f"/instances/{instance}/labels/key")
        send("PUT", f"/studies/{study}/attachments/report", data=b"report" * 10_000)
        send("PUT", f"/patients/{patient}/attachments/3000", data=b"")
        send("PUT", f"/patients/{patient}/protected", data="1")
        send("PUT", "/modalities/node", json={"AET": "NODE", "Host": "127.0.0.1", "Port": 1})
        send("PUT", "/peers/other", json={"Url": "http://127.0.0.1:1/"})
        # It fails, and is logged all the same.
        session.post(f"{real.url}/modalities/node/store", data=instance, timeout=30)
        send("POST", f"/studies/{study}/anonymize", json={})
        found = answers(real.url)
    return Made(folder / "storage", found)


@pytest.fixture
def source(made: Made, tmp_path: Path) -> Path:
    """A copy of the folder, as if its server had been killed now."""
    return shutil.copytree(made.folder, tmp_path / "source")


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Fail if a file of the folder is changed, added or removed."""
    before = _contents(folder)
    yield
    assert _contents(folder) == before


def _contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}
