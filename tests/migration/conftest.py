"""A folder that a server of ours has left behind when it was killed, and what it had answered."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from tests.adoption.answers import Answers, answers
from tests.waiting import until

OPTIONS: dict[str, Any] = {
    "UserMetadata": {"reader": 2000},
    "UserContentType": {"report": 2000},
    "LogExportedResources": True,
    "DicomModalitiesInDatabase": True,
    "OrthancPeersInDatabase": True,
    "ConcurrentJobs": 1,
    "KeepAliveTimeout": 60,  # a pause of a busy machine closes no connection just when it is used again
}


@dataclass(frozen=True)
class Left:
    """The folder, and what its server answered."""

    folder: Path
    answers: Answers
    jobs: dict[str, Any]
    stable: dict[str, bool]  # series -> IsStable


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Everything that a server can hold."""
    folder = tmp_path_factory.mktemp("left")
    with orthanc_lab.serve(OPTIONS, folder=folder, process=True, StableAge=1) as server:

        def send(method: str, path: str, **named: Any) -> Any:
            answer = server.session.request(method, server.url + path, timeout=30, **named)
            answer.raise_for_status()
            return answer.json() if answer.content else None

        for file in [*samples.dicom_files("ct")[:4], *samples.dicom_files("mr")[:2]]:
            send("POST", "/instances", data=file.read_bytes())
        send("POST", "/instances", data=dicom(instance="1.2.3.4", pixels=LARGE))  # a file of its own
        instance, study, patient = (send("GET", f"/{level}")[0] for level in ("instances", "studies", "patients"))
        send("PUT", f"/instances/{instance}/metadata/reader", data="Dr Åse".encode())
        send("PUT", f"/studies/{study}/labels/urgent")
        send("PUT", f"/studies/{study}/attachments/report", data=b"report" * 10_000)
        send("POST", f"/studies/{study}/attachments/report/compress")
        send("PUT", f"/patients/{patient}/attachments/3000", data=b"")
        send("PUT", f"/patients/{patient}/protected", data="1")
        send("PUT", "/modalities/node", json={"AET": "NODE", "Host": "127.0.0.1", "Port": 1})
        send("PUT", "/peers/other", json={"Url": "http://127.0.0.1:1/"})
        for _ in range(2):  # they fail, and are logged all the same; the first number is gone
            send("DELETE", "/exports")
            server.session.post(f"{server.url}/modalities/node/store", data=instance, timeout=30)
        send("POST", f"/studies/{study}/anonymize", json={})
        send("POST", "/tools/create-archive", json={"Resources": [patient], "Asynchronous": True})
        large = send("GET", "/instances")
        send("POST", "/tools/create-archive", json={"Resources": large, "Asynchronous": True})
        until(lambda: all(job["State"] in ("Success", "Failure") for job in send("GET", "/jobs?expand")))
        until(lambda: all(series["IsStable"] for series in send("GET", "/series?expand")))
        server.restart({**OPTIONS, "StableAge": 1000, "ConcurrentJobs": 1})
        send("POST", "/instances", data=dicom(instance="1.2.3.5", series="1.2.7"))  # stays unstable
        send("DELETE", f"/instances/{send('GET', '/instances')[-1]}")  # a gap in the changes
        found = answers(server.url)
        jobs = jobs_of(server.url)
        stable = {series["ID"]: series["IsStable"] for series in send("GET", "/series?expand")}
        server.kill()
        copy = tmp_path_factory.mktemp("copy") / "source"
        shutil.copytree(folder, copy)
    return Left(copy, found, jobs, stable)


def jobs_of(url: str) -> dict[str, Any]:
    """Return the jobs of a server in their order, each with its archive."""
    jobs = requests.get(f"{url}/jobs?expand", timeout=30).json()
    found = {}
    for job in sorted(jobs, key=lambda job: job["CreationTime"]):
        del job["Timestamp"]  # of the answer
        archive = requests.get(f"{url}/jobs/{job['ID']}/archive", timeout=30)
        found[job["ID"]] = job, archive.status_code, archive.content if archive.ok else b""
    return found


@pytest.fixture
def source(left: Left, tmp_path: Path) -> Path:
    """A copy of the folder, as if its server had been killed now."""
    return shutil.copytree(left.folder, tmp_path / "source")
