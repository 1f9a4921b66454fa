"""Three servers under load while they are killed, frozen and cut off: nothing acknowledged is lost at any of them.

``pytest tests/cluster --long`` for 30 kills, ``--kills 300`` for more; the seed of a failed run is in its message.
"""

from __future__ import annotations

import io
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab.bench import material
from orthanc_lab.testing.cluster import DatabaseProxy, OrthancCluster
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
from orthanc_lab.testing.seaweed import MISSING_WEED, SeaweedServer, find_weed
from tests.cluster.audit import Audit
from tests.cluster.files import files_below
from tests.cluster.load import Load
from tests.cluster.steps import Freeze, check_steps, owners
from tests.crash.audit import finish_jobs, get, holds_dicom
from tests.crash.facts import Facts
from tests.programs import missing
from tests.waiting import until

Start = Callable[..., OrthancCluster]

SERVERS = 3
KILLS_AT_ONCE = 3  # between two audits
OPTIONS: dict[str, Any] = {
    "JobsHistorySize": 100_000,
    "MediaArchiveSize": 5,
    "ConcurrentJobs": 1,
    "StableAge": 1,
    "Extensions": [str(Path(__file__).with_name("counting.py"))],
}


LEASE = 1  # seconds
QUICK_LEASE: dict[str, Any] = {"Cluster": {"LeaseDuration": LEASE}}


@pytest.fixture
def seed() -> int:
    """What decides when which server is hit."""
    return random.randrange(2**32)


@contextmanager
def told(seed: int, what: object = "") -> Iterator[None]:
    """Put the seed into the message of a failure."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {what}: {error}") from error


def submit(cluster: OrthancCluster, log: Path, count: int, *, steps: int = 40, seconds: float = 0.02) -> list[str]:
    """Submit jobs that write down who does their steps."""
    ids = []
    for number in range(count):
        server = cluster.servers[number % len(cluster.servers)]
        body = {"Key": f"{log.name}-{number}", "Log": str(log), "Steps": steps, "Seconds": seconds}
        answer = server.session.post(f"{server.url}/extensions/Counting", json={**body, "Asynchronous": True})
        assert answer.status_code == 200, answer.text
        ids.append(answer.json()["ID"])
    return ids


def wait_for(cluster: OrthancCluster, ids: list[str]) -> None:
    """Wait for the success of jobs, at every server."""
    for server in cluster.servers:
        for id in ids:
            succeeded = partial(has_succeeded, server, id)
            until(succeeded, seconds=60, what=partial(story, cluster, id))


def has_succeeded(server: Any, job: str) -> bool:
    found = get(server, f"/jobs/{job}").json()
    assert found["ErrorCode"] == 0, str(found)  # whole: a document would be cut
    return bool(found["State"] == "Success")


def story(cluster: OrthancCluster, job: str) -> str:
    return "\n".join(get(server, f"/jobs/{job}").text for server in cluster.servers)


@pytest.mark.long
@pytest.mark.timeout(14_400)  # for 300 kills on a busy machine
def test_servers_are_killed(
    orthanc_cluster: Start, postgresql: PostgresqlDatabase, request: pytest.FixtureRequest, seed: int, tmp_path: Path
) -> None:
    kills = request.config.getoption("--kills")
    chance = random.Random(seed)
    cluster = orthanc_cluster(SERVERS, OPTIONS)
    facts, operations = Facts(), 0
    audit = Audit(cluster, facts, postgresql.uri)
    for first in range(0, kills, KILLS_AT_ONCE):
        log = tmp_path / f"steps-{first}"
        with told(seed, f"kills from {first} on"):
            ids = submit(cluster, log, 3, steps=60)
            with Load(cluster, facts, hash((seed, first))) as load:
                for _ in range(first, min(first + KILLS_AT_ONCE, kills)):
                    victim = chance.randrange(SERVERS)
                    time.sleep(chance.uniform(0.02, 0.7))  # the moment of the kill is what is drawn by chance
                    cluster.kill(victim)
                    time.sleep(chance.uniform(0.0, 0.3))
                    cluster.restart(victim)
            operations += load.operations
            audit.check()
            if first % (2 * KILLS_AT_ONCE):
                finish_jobs(cluster.servers[0], facts, OPTIONS["MediaArchiveSize"])
            wait_for(cluster, ids)
            audit.check_ended()
            check_steps(log)
    print(f"{kills} kills, {operations} answered operations, {len(facts.stored)} instances, {len(facts.jobs)} jobs")
    assert operations > kills
    check_leftovers(cluster)


def check_leftovers(cluster: OrthancCluster) -> None:
    """Once everything is deleted, no file of an instance is left."""
    one = cluster.servers[0]
    for patient in get(one, "/patients").json():
        one.session.delete(f"{one.url}/patients/{patient}", timeout=60)
    for job in get(one, "/jobs").json():
        one.session.delete(f"{one.url}/jobs/{job}", timeout=30)
    # What a killed server was about to store is removed a minute later.
    until(lambda: not orphans(cluster), seconds=150, what=lambda: f"orphans: {orphans(cluster)[:5]}")


def orphans(cluster: OrthancCluster) -> list[Path]:
    found = []
    for path in files_below(cluster.folder / "files"):
        with suppress(FileNotFoundError):  # it is just being removed
            if holds_dicom(path):
                found.append(path)
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_is_frozen_for_longer_than_its_lease(
    orthanc_cluster: Start, postgresql: PostgresqlDatabase, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    cluster = orthanc_cluster(SERVERS, {**OPTIONS, **QUICK_LEASE})
    facts = Facts()
    audit = Audit(cluster, facts, postgresql.uri)
    freezes = []
    for number in range(4):
        victim = chance.randrange(SERVERS)
        with told(seed, f"freeze {number} of server {victim}"):
            ids = submit(cluster, tmp_path / f"steps-{number}", 3, steps=60)
            with Load(cluster, facts, hash((seed, number))):
                time.sleep(chance.uniform(0.1, 0.5))
                pid, begin = cluster.servers[victim].pid, time.monotonic()
                cluster.freeze(victim)
                time.sleep(LEASE + 1.5)
                cluster.thaw(victim)
                freezes.append(Freeze(pid, begin, time.monotonic()))
            audit.check()
            wait_for(cluster, ids)
            audit.check_ended()
            check_steps(tmp_path / f"steps-{number}", freezes)
    assert sum(len(pids) > 1 for pids in owners(tmp_path / "steps-0").values()) <= 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_that_is_frozen_holds_nobody_up(orthanc_cluster: Start, seed: int) -> None:
    """Wherever it was: the lock of a transaction that it is in the middle of ends a moment later."""
    chance = random.Random(seed)
    cluster = orthanc_cluster(2, OPTIONS)
    one, other = cluster.servers
    done = threading.Event()

    def load() -> None:
        with requests.Session() as session:
            while not done.is_set():
                for content in material.small_instances(5):
                    assert session.post(f"{one.url}/instances", data=content, timeout=120).status_code == 200

    with told(seed), ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(load) for _ in range(3)]
        try:
            for _ in range(8):
                time.sleep(chance.uniform(0.1, 0.4))  # the moment is what is drawn by chance
                cluster.freeze(0)
                for content in material.small_instances(3):
                    assert other.session.post(f"{other.url}/instances", data=content, timeout=30).status_code == 200
                cluster.thaw(0)
        finally:
            cluster.thaw(0)
            done.set()
        for client in clients:
            client.result()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_database_crashes(
    orthanc_cluster: Start,
    postgresql_server: PostgresqlServer,
    postgresql: PostgresqlDatabase,
    seed: int,
    tmp_path: Path,
) -> None:
    chance = random.Random(seed)
    impatient = {**postgresql.section, "MaximumConnectionRetries": 2, "ConnectionRetryInterval": 1}
    cluster = orthanc_cluster(SERVERS, OPTIONS, PostgreSQL=impatient)
    facts = Facts()
    audit = Audit(cluster, facts, postgresql.uri)
    for number in range(4):
        with told(seed, f"crash {number}"):
            ids = submit(cluster, tmp_path / f"steps-{number}", 3)
            with Load(cluster, facts, hash((seed, number))) as load:
                time.sleep(chance.uniform(0.1, 0.7))
                postgresql_server.stop("immediate")
                if number % 2:  # away for so long that clients are told
                    until(lambda load=load: load.interrupted >= 3, seconds=30)
                postgresql_server.start()
                before = load.operations
                until(lambda load=load, before=before: load.operations > before + 10, seconds=60)
            audit.check()
            wait_for(cluster, ids)
            check_steps(tmp_path / f"steps-{number}")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_that_stops_hands_its_jobs_over(orthanc_cluster: Start, tmp_path: Path) -> None:
    cluster = orthanc_cluster(SERVERS, {**OPTIONS, "Cluster": {"LeaseDuration": 60}})
    for number in range(SERVERS):
        log = tmp_path / f"steps-{number}"
        ids = submit(cluster, log, 3, steps=60)
        until(lambda log=log: log.exists() and len(owners(log)) == 3)
        begin = time.monotonic()
        cluster.halt(number)
        cluster.restart(number)
        wait_for(cluster, ids)
        assert time.monotonic() - begin < 50, "the lease had to end"
        check_steps(log)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_who_waits_for_a_job_gets_its_end(orthanc_cluster: Start, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    cluster = orthanc_cluster(SERVERS, {**OPTIONS, **QUICK_LEASE})
    log = tmp_path / "steps"

    def call(number: int) -> Any:
        server = cluster.servers[0]
        body = {"Key": f"call-{number}", "Log": str(log), "Steps": 60, "Seconds": 0.02}
        return requests.post(f"{server.url}/extensions/Counting", json=body, timeout=60)

    with told(seed), ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(call, number) for number in range(3)]
        until(lambda: log.exists() and len(owners(log)) == 3)
        time.sleep(chance.uniform(0.0, 0.5))
        cluster.kill(1)
        cluster.freeze(2)
        time.sleep(LEASE + 1)
        cluster.thaw(2)
        answers = [one.result() for one in calls]
        assert [(answer.status_code, answer.json().get("Done")) for answer in answers] == [(200, 60)] * 3


@pytest.fixture
def lines(postgresql: PostgresqlDatabase, seed: int) -> Iterator[list[DatabaseProxy]]:
    """A line to the database for each server."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(DatabaseProxy(postgresql.host, postgresql.port, seed=seed + number))
            for number in range(SERVERS)
        ]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_lines_to_the_database_are_cut_and_stall(
    orthanc_cluster: Start, postgresql: PostgresqlDatabase, lines: list[DatabaseProxy], seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    own = [{"PostgreSQL": {**postgresql.section, "Port": line.port}} for line in lines]
    cluster = orthanc_cluster(SERVERS, OPTIONS, own=own)
    facts = Facts()
    audit = Audit(cluster, facts, postgresql.uri)
    hit = 0
    for number in range(6):
        line = chance.choice(lines)
        with told(seed, f"line {lines.index(line)}, time {number}"):
            ids = submit(cluster, tmp_path / f"steps-{number}", 3)
            with Load(cluster, facts, hash((seed, number))):
                for one in lines:
                    one.lose(commits=0.02, answers=0.04)
                for _ in range(10):
                    time.sleep(chance.uniform(0.02, 0.1))
                    hit += chance.choice(lines).cut()
                if number == 3:
                    line.stall()
                    time.sleep(10)
                    line.go_on()
                for one in lines:
                    one.lose()
            audit.check()
            wait_for(cluster, ids)
            audit.check_ended()
            check_steps(tmp_path / f"steps-{number}")
    commits, lost = (sum(getattr(one, name) for one in lines) for name in ("lost_commits", "lost_answers"))
    print(f"{hit} connections cut, {commits} commits lost, {lost} answers lost")
    assert min(hit, commits + lost) > 5


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_bucket_is_killed(orthanc_cluster: Start, seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    if find_weed() is None:
        missing(MISSING_WEED)
    with SeaweedServer() as weed:
        cluster = orthanc_cluster(SERVERS, OPTIONS, AwsS3Storage=weed.bucket().options())
        facts = Facts()
        audit = Audit(cluster, facts)
        for number in range(2):
            with told(seed, f"kill {number} of the S3 server"):
                ids = submit(cluster, tmp_path / f"steps-{number}", 3)
                with Load(cluster, facts, hash((seed, number))) as load:
                    time.sleep(chance.uniform(0.3, 1.0))
                    weed.kill()
                    cluster.kill(number)
                    time.sleep(chance.uniform(0.1, 1.0))
                    weed.start()
                    cluster.restart(number)
                    before = load.operations
                    until(lambda load=load, before=before: load.operations > before + 10, seconds=60)
                audit.check()
                wait_for(cluster, ids)
                check_steps(tmp_path / f"steps-{number}")


def layout(archive: bytes) -> list[tuple[Any, ...]]:
    """Return all that two archives of the same resources have in common: everything but the time."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        members = opened.infolist()
    assert len({member.date_time for member in members}) == 1
    return [(one.filename, one.CRC, one.compress_size, one.header_offset) for one in members]


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_archive_that_was_taken_over_is_the_same(orthanc_cluster: Start, seed: int) -> None:
    chance = random.Random(seed)
    cluster = orthanc_cluster(SERVERS, {**OPTIONS, **QUICK_LEASE})
    one = cluster.servers[0]
    for content in material.ct_instances(120):
        assert one.session.post(f"{one.url}/instances", data=content, timeout=30).status_code == 200
    instances = get(one, "/instances").json()

    def archive() -> str:
        body = {"Resources": instances, "Asynchronous": True}
        id: str = one.session.post(f"{one.url}/tools/create-archive", json=body, timeout=30).json()["ID"]
        return id

    undisturbed = archive()
    wait_for(cluster, [undisturbed])
    expected = layout(get(one, f"/jobs/{undisturbed}/archive").content)
    taken_over = 0
    for number in range(4):
        with told(seed, f"time {number}"):
            id = archive()
            until(lambda id=id: get(one, f"/jobs/{id}").json()["State"] != "Pending")
            time.sleep(chance.uniform(0.0, 0.3))
            owner = get(one, "/orthanc-lab/cluster").json()["Jobs"][id]
            victim = int(owner.removeprefix("server-"))
            if number % 2:
                cluster.freeze(victim)
                time.sleep(LEASE + 1)
                cluster.thaw(victim)
            else:
                cluster.kill(victim)
                cluster.restart(victim)
            wait_for(cluster, [id])
            contents = [get(server, f"/jobs/{id}/archive").content for server in cluster.servers]
            assert contents == [contents[0]] * SERVERS
            assert layout(contents[0]) == expected
            taken_over += get(one, "/orthanc-lab/cluster").json()["Jobs"][id] != owner
    assert taken_over > 0
