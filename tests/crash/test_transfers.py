"""A transfer that was acknowledged arrives, whichever side is killed on the way, and at which moment.

``pytest tests/crash/test_transfers.py --long`` for 30 kills; the seed of a failed run is in its message.
"""

import hashlib
import random
import sys
import time

import pytest
import requests

from orthanc_lab.bench import material
from orthanc_lab.bench.servers import ServerProcess
from tests.waiting import until

OPTIONS = {
    "JobsHistorySize": 1000,
    "ConcurrentJobs": 2,
    "StableAge": 600,
    "Transfers": {"BucketSize": 64, "Threads": 2, "MaxHttpRetries": 30, "MaxPushTransactions": 4},
}


@pytest.fixture
def sides():
    command = f"{sys.executable} -m orthanc_lab serve {{config}}"
    made = [ServerProcess(name, command, OPTIONS) for name in ("source", "target")]
    yield made
    for server in made:
        server.remove()


def ask(server, verb, path, **body):
    answer = requests.request(verb, server.url + path, timeout=30, **body)
    assert answer.status_code == 200, (path, answer.text)
    return answer


def files_of(server):
    ids = ask(server, "GET", "/instances").json()
    return {id: hashlib.md5(ask(server, "GET", f"/instances/{id}/file").content).hexdigest() for id in ids}


def empty(server):
    for patient in ask(server, "GET", "/patients").json():
        ask(server, "DELETE", f"/patients/{patient}")


def submit(source, target, compression, push):
    resources = [{"Level": "Patient", "ID": id} for id in ask(source, "GET", "/patients").json()]
    asked, peer, call = (source, target, "send") if push else (target, source, "pull")
    ask(asked, "PUT", "/peers/other", json={"Url": peer.url})
    body = {"Resources": resources, "Compression": compression, "Peer": "other"}
    return asked, ask(asked, "POST", f"/transfers/{call}", json=body).json()["ID"]


def ended(server, job):
    found = ask(server, "GET", f"/jobs/{job}").json()
    assert found["State"] != "Failure", found
    return found["State"] == "Success"


@pytest.mark.timeout(1800)
def test_transfers_arrive(sides, request):
    kills = request.config.getoption("--kills")
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    source, target = sides
    source.start(), target.start()
    for content in [*material.ct_instances(8), *material.small_instances(30)]:
        ask(source, "POST", "/instances", data=content)
    expected = files_of(source)
    cut = forgotten = 0
    for round_ in range(kills):
        push, compression, victim = chance.random() < 0.5, chance.choice(["none", "gzip"]), chance.choice(sides)
        story = f"seed {seed}, kill {round_} of the {victim.name}, {'push' if push else 'pull'}, {compression}"
        asked, job = submit(source, target, compression, push)
        time.sleep(chance.uniform(0, 1.2 if compression == "gzip" else 0.3))  # the moment is what is drawn
        cut += not ended(asked, job)
        victim.kill()
        victim.start()
        until(lambda asked=asked, job=job: ended(asked, job), seconds=60, what=story)
        assert files_of(target) == expected, story
        assert files_of(source) == expected, story
        forgotten += push and victim is source  # a sender that was killed while it opened a transaction opens another
        for server in sides:
            folder = server.folder / "storage"
            assert [*folder.glob("jobs-outputs/*.pull")] == [], story
            assert len([*folder.glob("transfers/*")]) <= forgotten, story
        empty(target)
    print(f"seed {seed}: {kills} kills, {cut} of them in mid-transfer")
