"""A server that is killed in the middle of a job goes on with it: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from tests.modification.collection import file_of, instance, orthanc_id, text
from tests.modification.library import Library

DEADLINE = 30
INSTANCES = 120


class Killed(ServerProcess):
    """A server that dies the hard way."""

    @property
    def library(self) -> Library:
        return Library(requests.Session(), f"http://127.0.0.1:{self.port}")

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


@pytest.fixture(scope="module")
def server() -> Iterator[Killed]:
    server = Killed("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", {"JobsHistorySize": 100})
    server.start()
    yield server
    server.remove()


def fill(library: Library, patient: str) -> str:
    for number in range(INSTANCES):
        file = file_of(instance(f"1.7.1.1.{number}", x00100020=text("LO", patient)))
        study = library.upload(file)["ParentStudy"]
    return study


def wait(server: Killed, job: str, progress: int = 101) -> dict[str, Any]:
    limit = time.monotonic() + DEADLINE
    while time.monotonic() < limit:
        view: dict[str, Any] = server.library.get(f"/jobs/{job}")
        if view["State"] in ("Success", "Failure") or view["Progress"] >= progress:
            return view
    raise TimeoutError(view)


@pytest.mark.parametrize("keep", [True, False])
def test_killed_in_the_middle(server: Killed, keep: bool) -> None:
    patient = f"kept {keep}"
    study = fill(server.library, patient)
    others = set(server.library.instances())
    body = {"Asynchronous": True, "KeepSource": keep, "Keep": ["PatientID"], "Force": True}
    job = server.library.content(f"/studies/{study}/anonymize", body)["ID"]
    seen = [wait(server, job, 10)["Progress"]]
    for _ in range(2):
        server.kill()
        server.start()
        seen.append(wait(server, job, min(seen[-1] + 20, 101))["Progress"])
    view = wait(server, job)
    assert view["State"] == "Success", view
    assert seen[0] < 100, "the job was over before the kill"
    new = server.library.get(f"/studies/{view['Content']['ID']}")
    files = server.library.files(f"/studies/{new['ID']}")
    assert sorted(int(file.data_set[0x00200013].value) for file in files) == list(range(INSTANCES))
    studies = set(server.library.get(f"/patients/{orthanc_id(patient)}")["Studies"])
    assert studies == ({study, new["ID"]} if keep else {new["ID"]})
    assert len(server.library.instances()) == len(others) + (INSTANCES if keep else 0)
