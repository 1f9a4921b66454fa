"""The same thing is asked of all servers at once: it is done once, and all show the same afterwards."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab.bench import material
from orthanc_lab.server.embedding.child_server import ChildServer
from orthanc_lab.testing.cluster import OrthancCluster
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.cluster.commands import at_once
from tests.crash.audit import get
from tests.waiting import until

COUNTING = str(Path(__file__).with_name("counting.py"))


@pytest.fixture(scope="module")
def cluster(postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancCluster]:
    database = postgresql_server.create_database()
    in_database = {"DicomModalitiesInDatabase": True, "OrthancPeersInDatabase": True}
    options = {**database.settings, **in_database, "Extensions": [COUNTING], "ConcurrentJobs": 1}
    with OrthancCluster(3, options, tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
    postgresql_server.drop_database(database)


def send(method: str, url: str, **options: Any) -> requests.Response:
    return requests.request(method, url, timeout=30, **options)


def answers(cluster: OrthancCluster, method: str, path: str, **options: Any) -> list[requests.Response]:
    """Ask each server the same thing."""
    return at_once([partial(send, method, url + path, **options) for url in cluster.urls])


def test_the_same_instance_is_stored_once_and_deleted_once(cluster: OrthancCluster) -> None:
    for content in [*material.small_instances(6), *material.ct_instances(3)]:
        stored = answers(cluster, "POST", "/instances", data=content)
        assert {answer.status_code for answer in stored} == {200}, [answer.text for answer in stored]
        assert Counter(answer.json()["Status"] for answer in stored) == {"Success": 1, "AlreadyStored": 2}
        (key,) = {answer.json()["ID"] for answer in stored}
        for server in cluster.servers:
            assert get(server, "/statistics").json()["CountInstances"] == 1
            changes = get(server, "/changes?limit=1000").json()["Changes"]
            assert Counter(change["ChangeType"] for change in changes)["NewInstance"] == 1
            assert get(server, f"/instances/{key}/file").content == content
        removed = answers(cluster, "DELETE", f"/instances/{key}")
        assert sorted(answer.status_code for answer in removed) == [200, 404, 404]
        for server in cluster.servers:
            assert get(server, "/patients").json() == []
            assert get(server, "/statistics").json()["TotalDiskSize"] == "0"


def test_who_follows_the_changes_misses_none(cluster: OrthancCluster) -> None:
    first = get(cluster.servers[0], "/changes?last").json()["Last"]
    ended = threading.Event()

    def follow(server: ChildServer) -> list[int]:
        seen: list[int] = []
        since = first
        while True:
            is_last_look = ended.is_set()
            page = get(server, f"/changes?since={since}&limit=7").json()
            seen += [change["Seq"] for change in page["Changes"]]
            since = page["Last"]
            if is_last_look and page["Done"]:
                return seen

    def upload(number: int) -> None:
        with requests.Session() as session:
            for content in material.small_instances(15):
                answer = session.post(f"{cluster.urls[number % 3]}/instances", data=content, timeout=30)
                assert answer.json()["Status"] == "Success"

    with ThreadPoolExecutor(3) as pool:
        following = [pool.submit(follow, server) for server in cluster.servers]
        at_once([partial(upload, number) for number in range(6)])
        ended.set()
        last = get(cluster.servers[0], "/changes?last").json()["Last"]
        assert last >= first + 90
        listed = [one["Seq"] for one in get(cluster.servers[0], f"/changes?since={first}&limit=1000").json()["Changes"]]
        assert listed[: last - first] == list(range(first + 1, last + 1)), "there are gaps"
        for one in following:
            assert one.result()[: last - first] == list(range(first + 1, last + 1)), "a reader has missed some"


def test_what_is_added_to_an_instance_at_once_is_all_there(cluster: OrthancCluster) -> None:
    stored = send("POST", f"{cluster.urls[0]}/instances", data=material.small_instances(1)[0]).json()["ID"]
    for kind, names in (
        ("metadata", [str(2000 + number) for number in range(9)]),
        ("labels", [f"label-{number}" for number in range(9)]),
        ("attachments", [str(3000 + number) for number in range(9)]),
    ):
        path = f"/instances/{stored}/{kind}"
        puts = [
            partial(send, "PUT", f"{cluster.urls[number % 3]}{path}/{name}", data=b"x" * 40_000)
            for number, name in enumerate(names)
        ]
        assert {answer.status_code for answer in at_once(puts)} == {200}
        assert all(set(names) <= set(get(server, path).json()) for server in cluster.servers)


@pytest.mark.parametrize(
    ("path", "definition"),
    [
        ("/modalities", {"AET": "NODE", "Host": "127.0.0.1", "Port": 1}),
        ("/peers", {"Url": "http://127.0.0.1:1/"}),
    ],
)
def test_nodes_that_are_added_at_once_are_all_there(cluster: OrthancCluster, path: str, definition: object) -> None:
    names = [f"node-{number}" for number in range(12)]
    puts = [
        partial(send, "PUT", f"{cluster.urls[number % 3]}{path}/{name}", json=definition)
        for number, name in enumerate(names)
    ]
    assert {answer.status_code for answer in at_once(puts)} == {200}
    for server in cluster.servers:
        assert sorted(get(server, path).json()) == sorted(names)
    removals = [
        partial(send, "DELETE", f"{cluster.urls[number % 3]}{path}/{name}") for number, name in enumerate(names[1:])
    ]
    assert {answer.status_code for answer in at_once(removals)} == {200}
    assert [get(server, path).json() for server in cluster.servers] == [["node-0"]] * 3


def submit(cluster: OrthancCluster, key: str, log: Path, steps: int, seconds: float) -> str:
    body = {"Key": key, "Log": str(log), "Steps": steps, "Seconds": seconds, "Asynchronous": True}
    answer = send("POST", f"{cluster.urls[0]}/extensions/Counting", json=body)
    assert answer.status_code == 200, answer.text
    id: str = answer.json()["ID"]
    return id


def job_of(cluster: OrthancCluster, id: str) -> dict[str, Any]:
    """Return a job, which all servers show alike once it stands still."""
    found: list[dict[str, Any]] = []

    def agree() -> bool:
        found[:] = [get(server, f"/jobs/{id}").json() for server in cluster.servers]
        for job in found:
            del job["Timestamp"]
        return all(job == found[0] for job in found)

    until(agree, what=lambda: f"the servers do not agree: {found}")
    return found[0]


def test_commands_of_all_servers_to_one_job(cluster: OrthancCluster, tmp_path: Path) -> None:
    chance = random.Random(11)
    for number in range(6):
        id = submit(cluster, f"job-{number}", tmp_path / "log", 80, 0.005)
        # Of a pause and a cancellation during one step, the pause wins, as in Orthanc: so never both.
        commands = chance.choices([("pause", "resume"), ("cancel", "resume")][number % 2], k=9)
        calls = [
            partial(send, "POST", f"{cluster.urls[place % 3]}/jobs/{id}/{command}")
            for place, command in enumerate(commands)
        ]
        told = [(command, answer.status_code) for command, answer in zip(commands, at_once(calls), strict=True)]
        assert {code for _, code in told} <= {200, 400}, told
        job = until_idle(cluster, id)
        if ("cancel", 200) in told:
            assert (job["State"], job["ErrorCode"]) == ("Failure", 37), (told, job)
        else:
            assert job["State"] in ("Paused", "Success"), (told, job)
            if job["State"] == "Paused":
                assert sorted(answer.status_code for answer in answers(cluster, "POST", f"/jobs/{id}/cancel")) == [
                    200,
                    200,
                    200,
                ]
                assert job_of(cluster, id)["ErrorCode"] == 37


def until_idle(cluster: OrthancCluster, id: str) -> dict[str, Any]:
    """Wait until nobody runs a job any more."""
    server = cluster.servers[0]

    def is_idle() -> bool:
        return get(server, f"/jobs/{id}").json()["State"] not in ("Pending", "Running")

    until(is_idle, seconds=60, what=lambda: [get(one, f"/jobs/{id}").text for one in cluster.servers])
    return job_of(cluster, id)


def test_a_job_is_resubmitted_once_and_deleted_once(cluster: OrthancCluster, tmp_path: Path) -> None:
    id = submit(cluster, "again", tmp_path / "log", 5000, 0.005)
    for command, codes in (("cancel", [200, 200, 200]), ("resubmit", [200, 400, 400]), ("cancel", [200, 200, 200])):
        assert sorted(answer.status_code for answer in answers(cluster, "POST", f"/jobs/{id}/{command}")) == codes
        if command == "cancel":
            assert until_idle(cluster, id)["ErrorCode"] == 37
    removed = sorted(answer.status_code for answer in answers(cluster, "DELETE", f"/jobs/{id}"))
    assert removed == [200, 404, 404]
    for server in cluster.servers:
        assert id not in get(server, "/jobs").json()
