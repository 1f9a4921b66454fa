"""Many instances over several associations, and ``kill -9`` in the middle: what was acknowledged is there, once.

With ``--long``: 5,000 instances over 8 associations, 30 kills.
"""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import orthanc_lab
from tests.network.data_sets import data_set
from tests.network.raw_client import STORING, RawClient, store_message
from tests.rest.files import orthanc_id

pytestmark = pytest.mark.timeout(900)
ASSOCIATIONS = 8


def uid(association: int, number: int) -> str:
    return f"1.2.{association}.{number}"


def send(port: int, association: int, numbers: range, acknowledged: set[str]) -> None:
    """Send instances over one association, until the connection ends; note those that are acknowledged."""
    try:
        with RawClient(port, STORING, timeout=60) as client:
            for number in numbers:
                instance = uid(association, number)
                data = data_set(instance, f"P{association}", f"1.2.{association}", f"1.2.{association}.0", size=5000)
                if client.ask(store_message(instance, data)).status == 0:
                    acknowledged.add(instance)
            client.release()
    except (OSError, AssertionError):  # the server was killed
        pass


def identifiers(instances: set[str]) -> set[str]:
    """Return what Orthanc calls instances."""
    found = set()
    for instance in instances:
        association = instance.split(".")[2]
        found.add(orthanc_id(f"P{association}", f"1.2.{association}", f"1.2.{association}.0", instance))
    return found


def test_eight_associations(request: pytest.FixtureRequest):
    most = 5000 if request.config.getoption("--long") else 200
    acknowledged: set[str] = set()
    with orthanc_lab.serve() as server, ThreadPoolExecutor(ASSOCIATIONS) as pool:
        for association in range(ASSOCIATIONS):
            pool.submit(send, server.dicom_port, association, range(most // ASSOCIATIONS), acknowledged)
        pool.shutdown()
        assert len(acknowledged) == most // ASSOCIATIONS * ASSOCIATIONS
        assert set(server.session.get(f"{server.url}/instances").json()) == identifiers(acknowledged)
        changes = server.session.get(f"{server.url}/changes?limit=100000").json()["Changes"]
        assert sum(change["ChangeType"] == "NewInstance" for change in changes) == len(acknowledged)


def test_kill(request: pytest.FixtureRequest):
    kills = request.config.getoption("--kills")
    draw = random.Random(3)
    acknowledged: set[str] = set()
    with orthanc_lab.serve(process=True) as server:
        for kill in range(kills):
            numbers = range(1000 * kill, 1000 * kill + 1000)
            threads = [
                threading.Thread(target=send, args=(server.dicom_port, association, numbers, acknowledged))
                for association in range(2)
            ]
            for thread in threads:
                thread.start()
            wanted = len(acknowledged) + draw.randint(1, 60)
            while len(acknowledged) < wanted and any(thread.is_alive() for thread in threads):
                threads[0].join(0.002)
            server.kill()
            for thread in threads:
                thread.join()
            server.restart()
            present = set(server.session.get(f"{server.url}/instances").json())
            assert identifiers(acknowledged) <= present, "acknowledged, and lost"
            assert len(present) <= len(acknowledged) + 2 * (kill + 1), "more than were on their way"
        statistics = server.session.get(f"{server.url}/statistics").json()
        assert statistics["CountInstances"] == len(present)
        assert len(acknowledged) >= kills
