"""Transfers between two of our servers, in all ways."""

from __future__ import annotations

from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.bench import material
from tests.rest.checks import error_of
from tests.rest.conftest import Rest
from tests.transfers.conftest import BUCKET, BUCKETS, Side
from tests.waiting import until

NOBODY = "00000000-00000000-00000000-00000000-00000000"
SUFFIXES = {"push": ("UploadedSizeMB", "send", "far"), "pull": ("DownloadedSizeMB", "pull", "near")}


def everything(side: Side) -> list[dict[str, str]]:
    return [{"Level": "Study", "ID": study} for study in side.json("/studies")]


def same_files(one: Side, other: Side) -> bool:
    ids = one.instances()
    return ids == other.instances() and all(
        one("GET", f"/instances/{id}/file").content == other("GET", f"/instances/{id}/file").content for id in ids
    )


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["push", "pull"])
def test_everything_arrives(near: Side, far: Side, files: list[bytes], kind: str, compression: str) -> None:
    near.upload(*files)
    resources = everything(near)
    field, call, peer = SUFFIXES[kind]
    asked = near if kind == "push" else far
    job = asked.run(call, peer, resources, compression, Priority=3, Synchronous=True)
    assert (job["Type"], job["State"], job["ErrorCode"], job["Progress"], job["Priority"]) == (
        f"{kind.capitalize()}Transfer",
        "Success",
        0,
        100,
        3,
    )
    content = job["Content"]
    assert content.pop("NetworkSpeedKBs") >= 0
    size = sum(map(len, files))
    moved = content.pop(field)
    assert moved == (size + 2**19) // 2**20 if compression == "none" else moved >= 0
    assert content == {
        "CompletedHttpQueries": BUCKETS,
        "Compression": compression,
        "Peer": peer,
        "Resources": resources,
        "TotalInstances": len(files),
        "TotalSizeMB": (size + 2**19) // 2**20,
    }
    assert same_files(near, far)


def test_the_answer_is_the_job(near: Side, far: Side) -> None:
    answer = near("POST", "/transfers/send", {"Resources": [], "Compression": "none", "Peer": "far"})
    id = answer.json()["ID"]
    assert answer.text == f'{{\n\t"ID" : "{id}",\n\t"Path" : "/jobs/{id}"\n}}\n'
    assert answer.headers["Content-Type"] == "application/json"
    job = near.wait(id)
    assert (job["State"], job["Content"]["TotalInstances"]) == ("Success", 0)
    nothing = far.run("pull", "near", [])
    assert nothing["State"] == "Success"
    assert nothing["Content"] == {"Compression": "none", "Peer": "near", "Resources": []}


def test_what_the_peer_has_already(near: Side, far: Side, files: list[bytes]) -> None:
    near.upload(*files)
    far.upload(files[0])
    assert near.run("send", "far", everything(near))["State"] == "Success"
    assert far.run("pull", "near", everything(near))["State"] == "Success"
    assert same_files(near, far)


def test_peers_that_can_pull(near: Side, far: Side, files: list[bytes]) -> None:
    near.upload(*files)
    near("PUT", "/peers/far", {"Url": far.url, "RemoteSelf": "near"})
    assert near("GET", "/peers/far/configuration").json()["RemoteSelf"] == "near"
    body = {"Resources": everything(near), "Compression": "gzip", "Peer": "far", "Priority": 5}
    answer = near("POST", "/transfers/send", body)
    remote = answer.json()["RemoteJob"]
    assert answer.text == (
        f'{{\n\t"Peer" : "far",\n\t"RemoteJob" : "{remote}",\n\t"URL" : "{far.url}//jobs/{remote}"\n}}\n'
    )
    job = far.wait(remote)
    assert (job["Type"], job["State"], job["Priority"]) == ("PullTransfer", "Success", 0)
    assert job["Content"]["Originator"] == near("POST", "/transfers/lookup", []).json()["Originator"]
    assert same_files(near, far)
    other = far.run("pull", "near", everything(near), Originator="somebody else")
    assert (other["State"], other["ErrorCode"]) == ("Failure", 1)


def test_peers(near: Side, far: Side) -> None:
    near("PUT", "/peers/dead", {"Url": "http://127.0.0.1:1/"})
    near("PUT", "/peers/both", {"Url": far.url, "RemoteSelf": "x"})
    answer = near("GET", "/transfers/peers")
    assert answer.text == '{\n\t"both" : "bidirectional",\n\t"dead" : "disabled",\n\t"far" : "installed"\n}\n'
    assert answer.headers["Content-Type"] == "application/json"
    for peer in near.json("/peers"):
        near("DELETE", f"/peers/{peer}")
    assert near("GET", "/transfers/peers").text == "{}\n"
    assert near.json("/plugins/transfers") == {
        "Description": "Accelerates transfers and provides storage commitment between Orthanc peers",
        "ExtendsOrthancExplorer": True,
        "ID": "transfers",
        "Version": "1.7",
    }


RIGHT: dict[str, Any] = {"Resources": [], "Compression": "none", "Peer": "far"}


@pytest.mark.parametrize("call", ["send", "pull"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Resources": None}, (400, 15, "")),
        ({"Resources": {}}, (400, 15, "")),
        ({"Compression": None}, (400, 15, "")),
        ({"Compression": 1}, (400, 15, "")),
        ({"Compression": "GZIP"}, (400, 3, "")),
        ({"Peer": None}, (400, 15, "")),
        ({"Peer": ["far"]}, (400, 15, "")),
        ({"Peer": "nobody"}, (404, 17, "No peer with symbolic name: nobody")),
        ({"Priority": 1.0}, (400, 15, "")),
        ({"Priority": "1"}, (400, 15, "")),
        ({"Priority": True}, (400, 15, "")),
        ({"Priority": 2**31}, (500, 1, "")),
        ({"Originator": 1}, (400, 15, "")),
        ({"SenderTransferID": 1}, (400, 15, "SenderTransferID should be a string")),
        ({"SenderTransferID": None}, (400, 15, "SenderTransferID should be a string")),
    ],
)
def test_bodies_that_are_refused(near: Side, call: str, change: dict[str, Any], error: tuple[int, int, str]) -> None:
    assert error_of(near("POST", f"/transfers/{call}", {**RIGHT, **change})) == error


@pytest.mark.parametrize("body", ["", "[", "[]", "1", "{}", '"x"'])
def test_bodies_that_are_no_objects(near: Side, body: str) -> None:
    for call in ("send", "pull"):
        assert error_of(near("POST", f"/transfers/{call}", body)) == (400, 15, "")


def test_resources_are_looked_at_when_the_job_runs(near: Side, far: Side) -> None:
    for resources in ([{"Level": "Study", "ID": NOBODY}], [{"Level": "foo", "ID": NOBODY}], [1]):
        pushed = near.run("send", "far", resources)
        assert (pushed["State"], pushed["ErrorCode"], pushed["ErrorDetails"]) == ("Failure", 1, "")
        assert pushed["ErrorDescription"] == "Error encountered within the plugin engine"
        assert (pushed["Content"], pushed["Progress"]) == ({}, 0)
        pulled = far.run("pull", "near", resources)
        assert (pulled["State"], pulled["ErrorCode"], pulled["Progress"]) == ("Failure", 1, 0)
        assert pulled["Content"] == {"Compression": "none", "Peer": "near", "Resources": resources}


def test_a_server_without_threads_pulls_over_http(near: Side, files: list[bytes]) -> None:
    near.upload(*files)
    with orthanc_lab.in_process(executor="inline", Transfers={"BucketSize": BUCKET}) as server:
        rest = Rest(server)
        rest("PUT", "/peers/near", {"Url": near.url})
        for compression in ("none", "gzip"):
            body = {"Resources": everything(near), "Compression": compression, "Peer": "near"}
            job = rest("POST", "/transfers/pull", body).json()["ID"]
            until(lambda job=job: rest.json(f"/jobs/{job}")["State"] == "Success")  # type: ignore[misc]
        assert rest.json("/instances") == near.instances()


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ({"BucketSize": 0}, 3),
        ({"CacheSize": 0}, 3),
        ({"MaxPushTransactions": 0}, 3),
        ({"CommitThreadsCount": 0}, 3),
        ({"Threads": -1}, 3),
        ({"Threads": 2**31}, 3),
        ({"Threads": "4"}, 5),
        ({"MaxHttpRetries": 1.5}, 5),
        ({"PeerCommitTimeout": True}, 5),
        ([], 15),
    ],
)
def test_sections_that_are_refused(section: Any, code: int) -> None:
    with pytest.raises(orthanc_lab.OrthancError) as caught, orthanc_lab.in_process(Transfers=section):
        pass
    assert caught.value.code == code


def test_no_thread_at_all(near: Side, far: Side) -> None:
    with orthanc_lab.in_process(Transfers={"Threads": 0}) as server:
        assert error_of(Rest(server)("GET", "/transfers/peers")) == (400, 3, "")


def test_memory_of_large_transfers_is_in_buckets(near: Side, far: Side) -> None:
    """Forty files of 4 kB share buckets, in both directions."""
    near.upload(*material.small_instances(40))
    job = near.run("send", "far", everything(near))
    size = int(near.json("/statistics")["TotalUncompressedSize"])
    assert job["Content"]["CompletedHttpQueries"] == pytest.approx(size / (BUCKET * 1024), abs=1.1)
    assert same_files(near, far)
