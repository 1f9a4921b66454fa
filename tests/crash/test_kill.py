"""Nothing acknowledged is lost: a mixed load, kill -9 at random moments, and a look at every fact.

``pytest tests/crash --long`` for 30 kills, ``--kills 300`` for more; the seed of a failed run is in its message.
"""

import random
import time

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from tests.crash.audit import check_changes, check_instances, check_jobs, finish_jobs, get, holds_dicom
from tests.crash.facts import Facts
from tests.crash.load import Client
from tests.waiting import until

CLIENTS = 4
OPTIONS = {"JobsHistorySize": 100_000, "MediaArchiveSize": 5, "ConcurrentJobs": 1, "StableAge": 1}


@pytest.fixture
def server():
    import sys

    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", OPTIONS)
    yield server
    server.remove()


def check_leftovers(server):
    """Once everything is deleted, no file of an instance is left in the storage."""
    for patient in get(server, "/patients").json():
        requests.delete(f"{server.url}/patients/{patient}", timeout=60)
    for job in get(server, "/jobs").json():
        requests.delete(f"{server.url}/jobs/{job}", timeout=30)
    server.kill()
    server.start()
    until(lambda: not orphans(server), seconds=10, what=lambda: f"orphans: {orphans(server)[:5]}")


def orphans(server):
    return [item for item in (server.folder / "storage").rglob("*") if item.is_file() and holds_dicom(item)]


@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost(server, request):
    kills = request.config.getoption("--kills")
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    facts, checked, operations = Facts(), set(), 0
    server.start()
    for round_ in range(kills):
        clients = [Client(server.url, facts, (seed, round_, index).__hash__()) for index in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(chance.uniform(0.02, 0.7))  # the moment of the kill is what is drawn by chance
        server.kill()
        for client in clients:
            client.join(40)
            assert client.error is None, f"seed {seed}, kill {round_}: {client.error!r}"
            operations += client.operations
        server.start()
        try:
            present = check_instances(server, facts, checked)
            check_changes(server, facts, present)
            check_jobs(server, facts)
            if round_ % 5 == 4:
                finish_jobs(server, facts, OPTIONS["MediaArchiveSize"])
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, kill {round_}: {error}") from error
    check_leftovers(server)
    print(f"{kills} kills, {operations} answered operations, {len(checked)} files compared, {len(facts.jobs)} jobs")
    assert operations > kills
