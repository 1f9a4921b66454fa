"""A server that is killed in the middle of a job goes on with it: nothing is lost, nothing is there twice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from tests.modification.collection import file_of, instance, orthanc_id, text
from tests.modification.library import Library
from tests.waiting import until

DEADLINE = 30
INSTANCES = 400


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", {"JobsHistorySize": 100})
    server.start()
    yield server
    server.remove()


def library_of(server: ServerProcess) -> Library:
    return Library(requests.Session(), server.url)


def fill(library: Library, patient: str) -> str:
    for number in range(INSTANCES):
        file = file_of(instance(f"1.7.1.1.{number}", x00100020=text("LO", patient)))
        study = library.upload(file)["ParentStudy"]
    return study


def wait(server: ServerProcess, job: str, progress: int = 101) -> dict[str, Any]:
    view: dict[str, Any] = {}

    def reached() -> bool:
        view.update(library_of(server).get(f"/jobs/{job}"))
        return view["State"] in ("Success", "Failure") or view["Progress"] >= progress

    until(reached, seconds=DEADLINE, what=lambda: view)
    return view


@pytest.mark.parametrize("keep", [True, False])
def test_killed_in_the_middle(server: ServerProcess, keep: bool) -> None:
    patient = f"kept {keep}"
    study = fill(library_of(server), patient)
    others = set(library_of(server).instances())
    body = {"Asynchronous": True, "KeepSource": keep, "Keep": ["PatientID"], "Force": True}
    job = library_of(server).content(f"/studies/{study}/anonymize", body)["ID"]
    seen = [wait(server, job, 10)["Progress"]]
    for _ in range(2):
        server.kill()
        server.start()
        seen.append(wait(server, job, min(seen[-1] + 20, 101))["Progress"])
    view = wait(server, job)
    assert view["State"] == "Success", view
    assert seen[0] < 100, "the job was over before the kill"
    new = library_of(server).get(f"/studies/{view['Content']['ID']}")
    files = library_of(server).files(f"/studies/{new['ID']}")
    assert sorted(int(file.data_set[0x00200013].value) for file in files) == list(range(INSTANCES))
    studies = set(library_of(server).get(f"/patients/{orthanc_id(patient)}")["Studies"])
    assert studies == ({study, new["ID"]} if keep else {new["ID"]})
    assert len(library_of(server).instances()) == len(others) + (INSTANCES if keep else 0)
