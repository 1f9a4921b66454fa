"""Nothing acknowledged is lost: a mixed load, kill -9 at random moments, and a look at every fact.

``pytest tests/crash --long`` for 30 kills, ``--kills 300`` for more; the seed of a failed run is in its message.
"""

import random
import time

import pytest
import requests

from orthanc_lab.bench.servers import ServerProcess
from tests.crash.facts import Facts, md5
from tests.crash.load import Client, members_of
from tests.waiting import until

CLIENTS = 4
OPTIONS = {"JobsHistorySize": 100_000, "MediaArchiveSize": 5, "ConcurrentJobs": 1, "StableAge": 1}


@pytest.fixture
def server():
    import sys

    server = ServerProcess("orthanc-lab", f"{sys.executable} -m orthanc_lab serve {{config}}", OPTIONS)
    yield server
    server.remove()


def get(server, path):
    answer = requests.get(server.url + path, timeout=30)
    assert answer.status_code == 200, (path, answer.text)
    return answer


def check_instances(server, facts, checked):
    present = set(get(server, "/instances").json())
    expected = facts.expected()
    assert not expected - present, f"lost: {sorted(expected - present)[:5]}"
    assert not present - expected - facts.possible() - unanswered(server, present - expected), "came from nowhere"
    assert not present & facts.deleted, "deleted, and back again"
    for members in facts.maybe_zips:
        found = set(members) & present
        assert not found or found == set(members), "an upload ZIP was stored by half"
    facts.settle(present)
    for key in sorted(present & set(facts.stored) - checked):
        assert md5(get(server, f"/instances/{key}/file").content) == facts.stored[key], f"{key} has other bytes"
        assert get(server, f"/instances/{key}/attachments/dicom/md5").text == facts.stored[key]
        checked.add(key)
    statistics = get(server, "/statistics").json()
    assert statistics["CountInstances"] == len(present)
    for level in ("patients", "studies", "series"):
        assert statistics[f"Count{level.capitalize()}"] == len(get(server, f"/{level}").json())
    return present


def unanswered(server, keys):
    """Instances of /tools/create-dicom whose answer did not come: their identifiers are known to nobody."""
    return {key for key in keys if get(server, f"/instances/{key}/simplified-tags").json().get("PatientID") == "CRASH"}


def check_changes(server, facts, present):
    changes, since = [], 0
    while True:
        page = get(server, f"/changes?since={since}&limit=5000").json()
        changes += page["Changes"]
        since = page["Last"]
        if page["Done"]:
            break
    numbers = [change["Seq"] for change in changes]
    assert numbers == sorted(set(numbers)), "numbers of changes are not rising"
    new = [change["ID"] for change in changes if change["ChangeType"] == "NewInstance"]
    assert sorted(new) == sorted(present), "an instance without its one NewInstance, or one without its instance"
    assert since >= facts.last_change, "the number of the last change went back"
    facts.last_change = since


def check_jobs(server, facts):
    states = {job["ID"]: job for job in get(server, "/jobs?expand").json()}
    for key, known in facts.jobs.items():
        assert key in states, f"job {key} is lost"
        job = states[key]
        assert job["Priority"] == known["Priority"]
        if known["did"] == "pause":
            assert job["State"] in ("Paused", "Success"), job
        elif known["did"] == "cancel":
            assert job["State"] == "Success" or (job["State"], job["ErrorCode"]) == ("Failure", 37), job
        elif known["did"] is None:
            assert job["State"] in ("Pending", "Running", "Success"), job


def unfinished(server):
    return [job for job in get(server, "/jobs?expand").json() if job["State"] not in ("Success", "Failure")]


def finish_jobs(server, facts):
    """Resume what is paused and wait for the end of all; the newest outputs must be whole."""
    for job in get(server, "/jobs?expand").json():
        if job["State"] == "Paused":
            requests.post(f"{server.url}/jobs/{job['ID']}/resume", timeout=30)
    until(lambda: not unfinished(server), seconds=60, what=lambda: f"jobs do not end: {unfinished(server)}")
    jobs = get(server, "/jobs?expand").json()
    assert all(job["ErrorCode"] in (0, 37) for job in jobs), [job for job in jobs if job["ErrorCode"] not in (0, 37)]
    outputs = 0
    for job in jobs:
        answer = requests.get(f"{server.url}/jobs/{job['ID']}/archive", timeout=30)
        if answer.status_code == 200:
            members = members_of(answer.content)
            assert len(members) <= job["Content"]["InstancesCount"] + (job["Type"] == "Media")
            outputs += 1
    assert outputs <= OPTIONS["MediaArchiveSize"]
    for known in facts.jobs.values():
        known["did"] = "ended"


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


def holds_dicom(path):
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


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
                finish_jobs(server, facts)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, kill {round_}: {error}") from error
    check_leftovers(server)
    print(f"{kills} kills, {operations} answered operations, {len(checked)} files compared, {len(facts.jobs)} jobs")
    assert operations > kills
