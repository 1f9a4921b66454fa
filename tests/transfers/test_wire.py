"""What our jobs say to a peer, and what they make of its answers."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.transfers.conftest import BUCKETS, Side
from tests.transfers.peer import Call, ScriptedPeer
from tests.transfers.test_transfers import everything
from tests.waiting import until

Make = Callable[..., ScriptedPeer]

PATH = "/transfers/push/abc"


def receiver(**changes: Any) -> Callable[[Call], Any]:
    """Return the answers of a peer that takes a push; `changes` by the first letters of the verb and path."""

    def answer(call: Call) -> Any:
        if call.name == "POST /transfers/push":
            return changes.get("create", (200, {"Set-Cookie": "node=7; Path=/"}, json.dumps({"Path": PATH}).encode()))
        if call.name == f"POST {PATH}/commit":
            return changes.get("commit", {})
        if call.verb == "PUT":
            said = changes.get("bucket", b"anything")
            return said(call) if callable(said) else said
        return changes.get("delete", {})

    return answer


def source(files: dict[str, bytes], **changes: Any) -> Callable[[Call], Any]:
    """Return the answers of a peer that is pulled from."""

    def answer(call: Call) -> Any:
        if call.path == "/transfers/lookup":
            instances = [
                {"ID": id, "MD5": hashlib.md5(file).hexdigest(), "Size": str(len(file))} for id, file in files.items()
            ]
            return changes.get("lookup", {"Instances": instances, "Originator": "me"})
        said = changes.get("chunks")
        if said is not None:
            return said(call) if callable(said) else said
        ids, _, query = call.path.removeprefix("/transfers/chunks/").partition("?")
        arguments = dict(item.split("=") for item in query.split("&"))
        start, size = int(arguments["offset"]), int(arguments["size"])
        content = b"".join(files[id] for id in ids.split("."))[start : start + size]
        return gzip.compress(content) if arguments["compression"] == "gzip" else content

    return answer


@pytest.fixture
def resources(near: Side, files: list[bytes]) -> list[dict[str, str]]:
    near.upload(*files)
    return everything(near)


def with_ids(near: Side, files: list[bytes]) -> dict[str, bytes]:
    """Return files by the identifiers that they would have; `near` has none of them afterwards."""
    found = {near.upload(file)[0]: file for file in files}
    for patient in near.json("/patients"):
        near("DELETE", f"/patients/{patient}")
    return found


def failure(job: dict[str, Any]) -> tuple[str, int, str]:
    return job["State"], job["ErrorCode"], job["ErrorDetails"]


FAILED = ("Failure", 1, "")


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_push(near: Side, scripted: Make, resources: list[Any], files: list[bytes], compression: str) -> None:
    peer = scripted(receiver(), Username="alice", Password="secret", HttpHeaders={"Token": "x"})
    job = near.run("send", "scripted", resources, compression, SenderTransferID="me")
    assert job["State"] == "Success"
    first, *buckets, last = peer.calls
    assert [first.name, last.name] == ["POST /transfers/push", f"POST {PATH}/commit"]
    assert sorted(call.name for call in buckets) == [f"PUT {PATH}/{number}" for number in range(BUCKETS)]
    for call in peer.calls:
        assert call.headers["accept"] == "*/*"
        assert call.headers["authorization"].startswith("Basic ")
        assert call.headers["token"] == "x"
        assert call.headers["sender-transfer-id"] == "me"
        assert "expect" not in call.headers
        assert call.headers.get("cookie") == (None if call is first else "node=7")
    assert [call.headers["content-type"] for call in (first, buckets[0], last)] == [
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ]
    assert (last.body, last.headers["content-length"]) == (b"", "0")
    announced = json.loads(first.body)
    assert announced["Compression"] == compression
    assert [set(instance) for instance in announced["Instances"]] == [{"ID", "MD5", "Size"}] * len(files)
    arrived: dict[str, bytearray] = {one["ID"]: bytearray(int(one["Size"])) for one in announced["Instances"]}
    for call in buckets:
        content = call.body if compression == "none" else gzip.decompress(call.body)
        for chunk in announced["Buckets"][int(call.path.rpartition("/")[2])]:
            offset, size = int(chunk["Offset"]), int(chunk["Size"])
            arrived[chunk["ID"]][offset : offset + size] = content[:size]
            content = content[size:]
        assert content == b""
    assert all(hashlib.md5(arrived[one["ID"]]).hexdigest() == one["MD5"] for one in announced["Instances"])


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_pull(near: Side, scripted: Make, files: list[bytes], compression: str) -> None:
    there = with_ids(near, files)
    peer = scripted(source(there))
    wanted = [{"Level": "Study", "ID": "whatever"}]
    job = near.run("pull", "scripted", wanted, compression, SenderTransferID="me", Originator="me")
    assert (job["State"], job["Content"]["Originator"]) == ("Success", "me")
    first, *others = peer.calls
    assert (first.name, first.body) == ("POST /transfers/lookup", b'[{"Level":"Study","ID":"whatever"}]')
    assert (first.headers["content-type"], first.headers["sender-transfer-id"]) == ("application/json", "me")
    assert len(others) == BUCKETS
    for call in others:
        assert call.path.endswith(f"&compression={compression}")
        assert "sender-transfer-id" not in call.headers
        assert "content-type" not in call.headers
    assert near.instances() == sorted(there)


@pytest.mark.parametrize(
    "changes",
    [
        {"create": 500},
        {"create": 201},
        {"create": b"nope"},
        {"create": b"[]"},
        {"create": {"Path": 1}},
        {"commit": 500},
        {"commit": 404},
        {"commit": b"nope"},
    ],
)
def test_peers_that_do_not_take_a_push(near: Side, scripted: Make, resources: list[Any], changes: Any) -> None:
    peer = scripted(receiver(**changes))
    job = near.run("send", "scripted", resources)
    assert failure(job) == FAILED
    assert job["Progress"] == (0 if "create" in changes else 88)  # 7 of 8
    assert f"DELETE {PATH}" not in peer.names


def test_a_bucket_that_fails_ends_the_transaction(near: Side, scripted: Make, resources: list[Any]) -> None:
    peer = scripted(receiver(bucket=lambda call: 500 if call.path.endswith("/1") else {}, delete=500))
    assert failure(near.run("send", "scripted", resources)) == FAILED
    assert peer.names.count(f"PUT {PATH}/1") == 1
    assert peer.calls[-1].name == f"DELETE {PATH}"
    assert peer.calls[-1].headers["cookie"] == "node=7"


@pytest.mark.parametrize(
    "changes",
    [
        {"lookup": 404},
        {"lookup": b"nope"},
        {"lookup": []},
        {"lookup": {"Instances": []}},
        {"lookup": {"Originator": "me"}},
        {"lookup": {"Instances": [{"ID": "../../system", "MD5": "", "Size": "1"}], "Originator": "me"}},
        {"lookup": {"Instances": [{"ID": "a", "MD5": "", "Size": 1}], "Originator": "me"}},
        {"lookup": {"Instances": [{"ID": "a", "MD5": "", "Size": "9" * 18}], "Originator": "me"}},
        {"chunks": 500},
        {"chunks": b"too short"},
        {"chunks": bytes(3 << 20)},
    ],
)
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_peers_that_cannot_be_pulled_from(
    near: Side, scripted: Make, files: list[bytes], changes: Any, compression: str
) -> None:
    scripted(source(with_ids(near, files), **changes))
    assert failure(near.run("pull", "scripted", [], compression)) == FAILED
    assert near.instances() == []


def test_values_without_content_cost_no_memory(
    near: Side, scripted: Make, resources: list[Any], files: list[bytes]
) -> None:
    bomb = b"[" + b"{}," * 1_000_000 + b"{}]"
    peer = scripted(source({}, lookup=bomb))
    tracemalloc.start()
    try:
        assert failure(near.run("pull", "scripted", [])) == FAILED
        peer.answer = receiver(create=bomb)
        assert failure(near.run("send", "scripted", resources)) == FAILED
        peer.answer = lambda call: bomb
        assert near.json("/transfers/peers")["scripted"] == "disabled"
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_a_wrong_md5_leaves_the_good_ones(near: Side, scripted: Make, files: list[bytes]) -> None:
    there = with_ids(near, files)
    bad = min(id for id, file in there.items() if len(file) < 60000)

    def chunks(call: Call) -> Any:
        right: bytes = source(there)(call)
        return bytes(len(there[bad])) + right[len(there[bad]) :] if bad in call.path else right

    scripted(source(there, chunks=chunks))
    assert failure(near.run("pull", "scripted", [])) == FAILED
    assert near.instances() == sorted(set(there) - {bad})


def test_a_pause_sends_the_missing_buckets_alone(near: Side, scripted: Make, resources: list[Any]) -> None:
    peer = scripted(receiver())
    peer.hold_back(lambda call: call.verb == "PUT")
    job = near.submit("send", "scripted", resources)
    until(lambda: peer.held == 3)  # Threads
    assert near.json(f"/jobs/{job}")["Progress"] == 13  # 1 of 8
    near("POST", f"/jobs/{job}/pause")
    peer.let_go()
    near.wait(job, "Paused")
    assert len(peer.calls) < 2 + BUCKETS
    near("POST", f"/jobs/{job}/resume")
    assert near.wait(job)["State"] == "Success"
    assert peer.names.count("POST /transfers/push") == 1
    assert sorted(peer.names[1:-1]) == [f"PUT {PATH}/{number}" for number in range(BUCKETS)]


def test_a_paused_pull_keeps_what_it_has(near: Side, scripted: Make, files: list[bytes]) -> None:
    there = with_ids(near, files)
    peer = scripted(source(there))
    peer.hold_back(lambda call: call.verb == "GET")
    job = near.submit("pull", "scripted", [], "gzip")
    until(lambda: peer.held == 3)
    near("POST", f"/jobs/{job}/pause")
    peer.let_go()
    near.wait(job, "Paused")
    assert near.instances() == []
    near("POST", f"/jobs/{job}/resume")
    assert near.wait(job)["State"] == "Success"
    assert len(set(peer.names)) == len(peer.names) == 1 + BUCKETS
    assert near.instances() == sorted(there)


def test_a_transaction_that_went_during_a_pause(near: Side, scripted: Make, resources: list[Any]) -> None:
    peer = scripted(receiver())
    peer.hold_back(lambda call: call.verb == "PUT")
    job = near.submit("send", "scripted", resources)
    until(lambda: peer.held == 3)
    near("POST", f"/jobs/{job}/pause")
    peer.let_go()
    near.wait(job, "Paused")
    peer.answer = receiver(bucket=404)
    near("POST", f"/jobs/{job}/resume")
    assert failure(near.wait(job)) == FAILED
    assert peer.calls[-1].name == f"DELETE {PATH}"


def test_a_canceled_push_leaves_the_transaction(near: Side, scripted: Make, resources: list[Any]) -> None:
    peer = scripted(receiver())
    peer.hold_back(lambda call: call.verb == "PUT")
    job = near.submit("send", "scripted", resources)
    until(lambda: peer.held == 3)
    near("POST", f"/jobs/{job}/cancel")
    peer.let_go()
    assert failure(near.wait(job)) == ("Failure", 37, "")
    assert {call.verb for call in peer.calls} == {"POST", "PUT"}
    assert f"POST {PATH}/commit" not in peer.names


def test_resubmit_starts_anew(near: Side, scripted: Make, resources: list[Any]) -> None:
    peer = scripted(receiver(commit=500))
    job = near.submit("send", "scripted", resources, SenderTransferID="me")
    assert failure(near.wait(job)) == FAILED
    peer.answer = receiver()
    near("POST", f"/jobs/{job}/resubmit")
    assert near.wait(job, "Success")["Content"]["CompletedHttpQueries"] == BUCKETS
    assert peer.names.count("POST /transfers/push") == 2
    assert {call.headers["sender-transfer-id"] for call in peer.calls} == {"me"}


def test_a_pull_that_failed_and_is_resubmitted(near: Side, scripted: Make, files: list[bytes]) -> None:
    there = with_ids(near, files)
    peer = scripted(source(there, chunks=500))
    job = near.submit("pull", "scripted", [])
    assert failure(near.wait(job)) == FAILED
    peer.answer = source(there)
    near("POST", f"/jobs/{job}/resubmit")
    near.wait(job, "Success")
    assert near.instances() == sorted(there)


@pytest.mark.parametrize("said", [404, b"nope", {"Path": "/jobs/1"}])
def test_peers_that_do_not_pull(near: Side, scripted: Make, said: Any) -> None:
    peer = scripted(lambda call: said, RemoteSelf="me")
    body = {"Resources": [], "Compression": "none", "Peer": "scripted", "SenderTransferID": "s", "Originator": "x"}
    answer = near("POST", "/transfers/send", body)
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (500, 9)
    (call,) = peer.calls
    assert call.name == "POST /transfers/pull"
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert call.headers["sender-transfer-id"] == "s"
    sent = json.loads(call.body)
    assert sent.pop("Originator") != "x"
    assert sent == {"Compression": "none", "Peer": "me", "Resources": []}


@pytest.mark.parametrize("said", [404, b"nope", {}, ["explorer.js"], 201])
def test_peers_without_transfers(near: Side, scripted: Make, said: Any) -> None:
    peer = scripted(lambda call: said)
    near("DELETE", "/peers/far")
    assert near.json("/transfers/peers") == {"scripted": "disabled"}
    assert peer.names == ["GET /plugins"]
