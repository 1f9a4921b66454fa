"""``kill -9`` of either side in the middle of sending to a DICOM node: nothing that was asked for is lost."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.testing.dicom_node import DicomNode
from tests.archives.files import dicom
from tests.programs import program
from tests.waiting import until

FILES = 40
DEADLINE = 60


@pytest.fixture(scope="module")
def node() -> Iterator[DicomNode]:
    with DicomNode() as node:
        yield node


@pytest.fixture(scope="module")
def peer_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(node: DicomNode, peer_port: int) -> Iterator[ServerProcess]:
    modalities = {"node": node.modality(), "peer": ["PEER", "127.0.0.1", peer_port]}
    command = f"{sys.executable} -m orthanc_lab serve {{config}}"
    server = ServerProcess("orthanc-lab", command, {"DicomModalities": modalities, "JobsHistorySize": 1000})
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def study(server: ServerProcess) -> str:
    for number in range(FILES):
        file = dicom(sop=f"1.2.3.{number}", number=str(number), pixels=bytes(200_000), size=(250, 400))
        answer = requests.post(f"{server.url}/instances", data=file, timeout=DEADLINE).json()
    return str(answer["ParentStudy"])


def get(server: ServerProcess, uri: str) -> Any:
    return requests.get(server.url + uri, timeout=DEADLINE).json()


def submit(server: ServerProcess, name: str, study: str) -> str:
    body = {"Resources": [study], "Asynchronous": True}
    answer = requests.post(f"{server.url}/modalities/{name}/store", json=body, timeout=DEADLINE)
    return str(answer.json()["ID"])


def has_files(folder: Path, count: int) -> bool:
    return len(list(folder.iterdir())) >= count


def ended(server: ServerProcess, job: str) -> dict[str, Any]:
    return until(
        lambda: view if (view := get(server, f"/jobs/{job}"))["State"] in ("Success", "Failure") else None,
        seconds=DEADLINE,
        what=lambda: str(get(server, f"/jobs/{job}")),
    )


def test_our_server_goes_on_after_its_death(
    server: ServerProcess, node: DicomNode, study: str, pytestconfig: pytest.Config
) -> None:
    chance = random.Random(1)
    kills = 0
    while kills < pytestconfig.option.kills:
        node.clear()
        node.hold()
        job = submit(server, "node", study)
        for _ in range(2):
            before = len(node.instances)
            node.let_through(chance.randrange(1, FILES // 3))
            node.wait_until_held()
            server.kill()
            kills += 1
            node.hold()
            server.start()
            assert len(node.instances) > before
        node.let_go()
        assert ended(server, job)["State"] == "Success"
        node.wait_until_idle()
        sent = Counter(instance.sop_instance for instance in node.instances)
        assert set(sent) == {f"1.2.3.{number}" for number in range(FILES)}
        assert get(server, f"/jobs/{job}")["Progress"] == 100


def test_the_death_of_the_node_fails_the_job_which_is_sent_again(
    server: ServerProcess, peer_port: int, study: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    storescp = program("storescp")
    for kill in range(max(1, pytestconfig.option.kills // 4)):
        folder = tmp_path / str(kill)
        folder.mkdir()
        command = [storescp, "--aetitle", "PEER", "--output-directory", str(folder), str(peer_port)]
        peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: is_listening(peer_port))
        job = submit(server, "peer", study)
        until(partial(has_files, folder, 3))
        peer.kill()
        peer.wait(DEADLINE)
        view = ended(server, job)
        peer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: is_listening(peer_port))
            if view["State"] == "Failure":
                assert view["ErrorCode"] == 9
                requests.post(f"{server.url}/jobs/{job}/resubmit", timeout=DEADLINE)
                view = ended(server, job)
            assert view["State"] == "Success"
            assert len(list(folder.iterdir())) == FILES
        finally:
            peer.kill()
            peer.wait(DEADLINE)
        shutil.rmtree(folder)
