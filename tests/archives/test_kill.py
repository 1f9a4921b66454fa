"""A server that is killed in the middle of an archive goes on with it after its next start."""

from __future__ import annotations

import io
import random
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from tests.archives.files import dicom
from tests.archives.house import DEADLINE
from tests.waiting import until

FILES = 32
OPTIONS = {"MediaArchiveSize": 5, "JobsHistorySize": 100}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", OPTIONS)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def patient(server: ServerProcess) -> str:
    """Images that are slow to deflate, so that there is time for a kill."""
    chance = random.Random(1)
    noise = bytes(chance.choices(range(40), k=1 << 20))
    for n in range(FILES):
        file = dicom(sop=f"1.{n}", number=str(n), pixels=(noise[n:] + noise[:n]) * 4)
        answer = requests.post(f"{server.url}/instances", data=file, timeout=DEADLINE).json()
    return str(answer["ParentPatient"])


def get(server: ServerProcess, uri: str) -> Any:
    return requests.get(server.url + uri, timeout=DEADLINE).json()


def submit(server: ServerProcess, kind: str, patient: str) -> str:
    answer = requests.post(f"{server.url}/patients/{patient}/{kind}", json={"Asynchronous": True}, timeout=DEADLINE)
    return str(answer.json()["ID"])


def wait(server: ServerProcess, job: str, *, progress: int = 101) -> dict[str, Any]:
    view: dict[str, Any] = {}

    def reached() -> bool:
        view.update(get(server, f"/jobs/{job}"))
        return view["State"] in ("Success", "Failure") or view["Progress"] >= progress

    until(reached, seconds=DEADLINE, what=lambda: view)
    return view


def form(server: ServerProcess, job: str) -> tuple[int, list[tuple[Any, ...]], set[Any]]:
    """Return the size of an output, all that its directory says but the times, and the times."""
    data = requests.get(f"{server.url}/jobs/{job}/archive", timeout=DEADLINE).content
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        members = opened.infolist()
    # Each DICOMDIR has a fresh UID, whose length differs by chance: of two jobs only the place of it is the same.
    described = [
        (item.filename, item.header_offset, *((item.CRC, item.file_size) if item.filename != "DICOMDIR" else ()))
        for item in members
    ]
    return members[-1].header_offset, described, {item.date_time for item in members}


@pytest.mark.parametrize("kind", ["archive", pytest.param("media", marks=pytest.mark.long)])
def test_killed_in_the_middle(server: ServerProcess, patient: str, kind: str) -> None:
    for _ in range(10):  # on a busy machine the job may be over before we have seen it run
        job = submit(server, kind, patient)
        if wait(server, job, progress=20)["Progress"] < 100:
            break
    else:
        pytest.fail("the jobs were over before they could be killed; they need more files")
    for _ in range(2):
        server.kill()
        server.start()
        view = get(server, f"/jobs/{job}")
        assert view["State"] in ("Pending", "Running", "Success")
        wait(server, job, progress=view["Progress"] + 15)
    view = wait(server, job)
    assert view["State"] == "Success", view
    other = submit(server, kind, patient)
    wait(server, other)
    mine, undisturbed = form(server, job), form(server, other)
    assert mine[:2] == undisturbed[:2]
    assert len(mine[2]) == 1, "all members carry the time of the submission"
