"""Peers that fail for a while, or do not answer at all; other clients and other servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from orthanc_api_client import OrthancApiClient, ResourceType
from orthanc_api_client.transfers import RemoteJob

import orthanc_lab
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.testing.real import RealOrthanc
from tests.rest.conftest import Rest
from tests.transfers.conftest import BUCKET, BUCKETS, Side
from tests.transfers.peer import Call, ScriptedPeer
from tests.transfers.test_transfers import everything, same_files
from tests.transfers.test_wire import PATH, receiver
from tests.waiting import until

OPTIONS: dict[str, Any] = {
    "HttpTimeout": 0,
    "StableAge": 10**6,
    "Transfers": {"BucketSize": BUCKET, "Threads": 2, "MaxHttpRetries": 2, "PeerCommitTimeout": 0},
}


class Failing:
    """Answers as a receiver, but fails each request the first times that it comes."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._seen: dict[str, int] = {}
        self._right = receiver()

    def __call__(self, call: Call) -> Any:
        seen = self._seen[call.name] = self._seen.get(call.name, 0) + 1
        return 503 if seen <= self._times else self._right(call)


@pytest.fixture
def peer() -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(receiver())
    yield made
    made.close()


def finish(rest: Rest, clock: ManualClock, job: str) -> dict[str, Any]:
    """Return a job at its end; the time goes by in seconds."""

    def look() -> dict[str, Any] | None:
        clock.advance(1)
        found: dict[str, Any] = rest.json(f"/jobs/{job}")
        return found if found["State"] in ("Success", "Failure") else None

    return until(look)


@pytest.mark.parametrize(("times", "state"), [(2, "Success"), (3, "Failure")])
def test_each_request_is_tried_again(peer: ScriptedPeer, files: list[bytes], times: int, state: str) -> None:
    peer.answer = Failing(times)
    clock = ManualClock()
    with orthanc_lab.in_process(clock=clock, **OPTIONS) as server:
        rest = Rest(server)
        for file in files:
            rest("POST", "/instances", file)
        rest("PUT", "/peers/scripted", {"Url": peer.url})
        resources = [{"Level": "Patient", "ID": patient} for patient in rest.json("/patients")]
        body = {"Peer": "scripted", "Compression": "none", "Resources": resources}
        assert finish(rest, clock, rest("POST", "/transfers/send", body).json()["ID"])["State"] == state
    if state == "Failure":
        assert peer.names == ["POST /transfers/push"] * 3
    else:
        assert len(peer.calls) == 3 * (2 + BUCKETS)
        assert peer.names[-3:] == [f"POST {PATH}/commit"] * 3


def test_a_server_stops_although_its_peer_says_nothing(peer: ScriptedPeer, files: list[bytes]) -> None:
    peer.hold_back(lambda call: call.verb == "PUT")
    with orthanc_lab.in_process(**OPTIONS) as server:
        rest = Rest(server)
        rest("POST", "/instances", files[-1])
        rest("PUT", "/peers/scripted", {"Url": peer.url})
        resources = [{"Level": "Patient", "ID": patient} for patient in rest.json("/patients")]
        rest("POST", "/transfers/send", {"Peer": "scripted", "Compression": "none", "Resources": resources})
        until(lambda: peer.held == 2)
        began = time.monotonic()
    assert time.monotonic() - began < 18  # the peer would have held on for longer


def test_the_answer_of_a_commit_that_was_lost(near: Side, far: Side, files: list[bytes]) -> None:
    """What asked for a commit, and did not hear of it, finds out that it was done."""
    near.upload(*files)
    kept: dict[str, Any] = {"commits": 0}

    def relay(call: Call) -> Any:
        headers = {name: value for name, value in call.headers.items() if name in ("content-type", "cookie")}
        answer = far.session.request(call.verb, far.url + call.path, data=call.body, headers=headers, timeout=20)
        if call.path.endswith("/commit"):
            kept["commits"] += 1
            kept["last"] = answer.status_code
            if kept["commits"] == 1:
                return 502
        return answer.status_code, {}, answer.content

    peer = ScriptedPeer(relay)
    clock = ManualClock()
    try:
        with orthanc_lab.in_process(clock=clock, **OPTIONS) as server:
            rest = Rest(server)
            for file in files:
                rest("POST", "/instances", file)
            rest("PUT", "/peers/far", {"Url": peer.url})
            body = {"Peer": "far", "Compression": "none", "Resources": everything(near)}
            job = finish(rest, clock, rest("POST", "/transfers/send", body).json()["ID"])
        assert job["State"] == "Success"
        assert kept == {"commits": 2, "last": 404}
        assert peer.names[-1] == "POST /transfers/lookup"
        assert same_files(near, far)
    finally:
        peer.close()


def test_orthanc_api_client(near: Side, far: Side, files: list[bytes]) -> None:
    near.upload(*files)
    client = OrthancApiClient(near.url)
    try:
        client.transfers.send("far", near.json("/studies"), ResourceType.STUDY, polling_interval=0.01)
        assert same_files(near, far)
        near("PUT", "/peers/far", {"Url": far.url, "RemoteSelf": "near"})
        job = client.transfers.send_async("far", near.json("/studies"), ResourceType.STUDY, compress=False)
        assert isinstance(job, RemoteJob)
        assert far.wait(job.remote_job_id)["State"] == "Success"
    finally:
        client._http_session.close()  # it has no method to let go of its connections


@pytest.mark.real
def test_an_orthanc_without_the_plug_in(real_program: str, near: Side, files: list[bytes]) -> None:
    near.upload(*files)
    with RealOrthanc() as real:
        near("PUT", "/peers/far", {"Url": real.url})
        assert near.json("/transfers/peers") == {"far": "disabled"}
        for call in ("send", "pull"):
            job = near.run(call, "far", everything(near))
            assert (job["State"], job["ErrorCode"], job["Progress"]) == ("Failure", 1, 0)
