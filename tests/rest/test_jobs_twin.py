"""Jobs on our server and on the real Orthanc: the same calls, with a peer that holds the jobs at its gate."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.rest.test_peers import CT, CT_INSTANCE, CT_STUDY, UNUSED, Caller, Peer, is_bare, refused
from tests.waiting import until

DEADLINE = 20.0
COMMANDS = ("cancel", "pause", "resume", "resubmit")
STATES = ("Pending", "Running", "Paused", "Success", "Failure")
FIELDS = {"Content", "CreationTime", "EffectiveRuntime", "ErrorCode", "ErrorDescription", "ErrorDetails", "ID"}
FIELDS |= {"Priority", "Progress", "State", "Timestamp", "Type"}


class Server:
    """A server with one worker, and the peers ``gate`` and ``dead``."""

    def __init__(self, call: Caller, peer: Peer) -> None:
        self.call, self.peer = call, peer

    def submit(self, name: str = "gate", resources: int = 2, priority: int = 0) -> str:
        body = {"Resources": [CT_STUDY] * resources, "Asynchronous": True, "Priority": priority}
        id: str = self.call("POST", f"/peers/{name}/store", body).json()["ID"]
        return id

    def job(self, id: str) -> dict[str, Any]:
        document: dict[str, Any] = self.call("GET", f"/jobs/{id}").json()
        return document

    def wait_for(self, id: str, state: str) -> dict[str, Any]:
        until(lambda: self.job(id)["State"] == state, what=lambda: self.job(id))
        return self.job(id)

    def in_state(self, state: str) -> str:
        """Return a job in a state, while another one is held at the gate (or it is the one)."""
        if state in ("Success", "Failure"):
            id = self.submit(resources=0) if state == "Success" else self.submit("dead", 1)
            self.wait_for(id, state)
            return id
        self.peer.gate.clear()
        id = self.submit()
        assert self.peer.arrived.acquire(timeout=DEADLINE)
        if state != "Running":
            id = self.submit()
        if state == "Paused":
            self.call("POST", f"/jobs/{id}/pause")
        return id

    def clear(self) -> None:
        """Let all jobs end."""
        self.peer.gate.set()
        for id in self.call("GET", "/jobs").json():
            self.call("POST", f"/jobs/{id}/cancel")
        for id in self.call("GET", "/jobs").json():
            until(functools.partial(self._is_over, id), what=functools.partial(self.job, id))

    def _is_over(self, id: str) -> bool:
        self.call("POST", f"/jobs/{id}/cancel")
        return self.job(id)["State"] in ("Success", "Failure")


@contextlib.contextmanager
def running(request: pytest.FixtureRequest, kind: str, **options: Any) -> Iterator[Server]:
    peer = Peer()
    peers = {"gate": [peer.url], "dead": [UNUSED]}
    # A pause of a busy machine closes no connection just when it is used again.
    options = {"OrthancPeers": peers, "ConcurrentJobs": 1, "JobsHistorySize": 200, "KeepAliveTimeout": 60, **options}
    if kind == "real":
        request.getfixturevalue("real_program")
    with RealOrthanc(**options) if kind == "real" else orthanc_lab.serve(**options) as started:
        yield Server(Caller(started.url), peer)
        peer.gate.set()
    peer.close()


KINDS = ["ours", pytest.param("real", marks=pytest.mark.real)]


@pytest.fixture(scope="module", params=KINDS)
def one_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request, request.param) as server:
        yield server


@pytest.fixture
def server(one_server: Server) -> Iterator[Server]:
    yield one_server
    one_server.clear()
    while one_server.peer.arrived.acquire(blocking=False):
        pass


AFTER = {
    ("Pending", "cancel"): "Failure",
    ("Pending", "pause"): "Paused",
    ("Running", "cancel"): "Running",
    ("Running", "pause"): "Running",
    ("Paused", "cancel"): "Failure",
    ("Paused", "pause"): "Paused",
    ("Paused", "resume"): "Pending",
    ("Success", "cancel"): "Success",
    ("Success", "pause"): "Success",
    ("Failure", "cancel"): "Failure",
    ("Failure", "pause"): "Failure",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_commands(server: Server, state: str, command: str) -> None:
    id = server.in_state(state)
    before = server.job(id)
    answer = server.call("POST", f"/jobs/{id}/{command}", "ignored")
    if (state, command) == ("Failure", "resubmit"):
        assert (answer.status_code, answer.content) == (200, b"{}")
        after = server.wait_for(id, "Failure")
        assert (after["CreationTime"], after["ErrorCode"]) == (before["CreationTime"], 9)
    elif (state, command) in AFTER:
        assert (answer.status_code, answer.content) == (200, b"{}")
        assert answer.headers["Content-Type"] == "application/json"
        assert server.job(id)["State"] == AFTER[state, command]
    else:
        assert is_bare(answer, 400)
        assert server.job(id)["State"] == state


@pytest.mark.parametrize("state", STATES)
def test_look_and_delete(server: Server, state: str) -> None:
    id = server.in_state(state)
    job = server.job(id)
    assert (job["State"], job["Type"], job["ID"], job["Priority"]) == (state, "OrthancPeerStore", id, 0)
    extra = {"CompletionTime"} if state in ("Success", "Failure") else set()
    assert set(job) - {"EstimatedTimeOfArrival"} == FIELDS | extra
    assert job["Progress"] == (100 if state == "Success" else 0)
    code, text = (9, "Error in the network protocol") if state == "Failure" else (0, "Success")
    assert (job["ErrorCode"], job["ErrorDescription"]) == (code, text)
    answer = server.call("DELETE", f"/jobs/{id}")
    if extra:
        assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"", "text/plain")
        assert is_bare(server.call("GET", f"/jobs/{id}"), 404)
    else:
        assert refused(answer) == (404, 7, f"No job found with this id: {id}")
    assert refused(server.call("GET", f"/jobs/{id}/archive")) == (404, 7, "Job has no such output: archive")


def test_cancel_between_two_steps(server: Server) -> None:
    id = server.in_state("Running")
    server.call("POST", f"/jobs/{id}/cancel")
    server.peer.gate.set()
    job = server.wait_for(id, "Failure")
    assert (job["ErrorCode"], job["ErrorDescription"], job["Progress"]) == (37, "This job was canceled", 50)
    assert job["ErrorDetails"] == ""


def test_pause_goes_before_cancel(server: Server) -> None:
    id = server.in_state("Running")
    server.call("POST", f"/jobs/{id}/cancel")
    server.call("POST", f"/jobs/{id}/pause")
    server.peer.gate.set()
    job = server.wait_for(id, "Paused")
    assert (job["ErrorCode"], job["Progress"]) == (0, 50)
    server.call("POST", f"/jobs/{id}/resume")
    server.wait_for(id, "Success")


def test_a_resubmitted_job_that_waits_shows_the_old_error(server: Server) -> None:
    id = server.in_state("Failure")
    old = server.job(id)
    server.in_state("Running")
    server.call("POST", f"/jobs/{id}/resubmit")
    waiting = server.job(id)
    assert (waiting["State"], waiting["EffectiveRuntime"]) == ("Pending", 0)
    same = ("ErrorCode", "ErrorDetails", "Progress", "CreationTime", "Content")
    assert [waiting[name] for name in same] == [old[name] for name in same]
    server.call("POST", f"/jobs/{id}/cancel")
    canceled = server.job(id)
    assert (canceled["ErrorCode"], canceled["ErrorDetails"]) == (37, old["ErrorDetails"])


def test_priority(server: Server) -> None:
    server.in_state("Running")
    jobs = {priority: server.submit(priority=priority) for priority in (0, -7, 5)}
    assert [server.job(id)["Priority"] for id in jobs.values()] == [0, -7, 5]
    server.peer.gate.set()
    ended = {priority: server.wait_for(id, "Success")["CompletionTime"] for priority, id in jobs.items()}
    assert ended[5] < ended[0] < ended[-7]


def test_the_wait_counts_as_run_time(server: Server) -> None:
    held = server.in_state("Running")
    id = server.submit()
    until(lambda: server.job(held)["EffectiveRuntime"] >= 0.1)
    assert server.job(id)["EffectiveRuntime"] == 0
    server.peer.gate.set()
    assert 0.1 <= server.wait_for(id, "Success")["EffectiveRuntime"] < 5


def test_cancel_of_a_job_that_a_caller_waits_for(server: Server) -> None:
    server.peer.gate.clear()
    before = set(server.call("GET", "/jobs").json())
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(Caller(server.call.url), "POST", "/peers/gate/store", [CT_STUDY, CT_INSTANCE])
        assert server.peer.arrived.acquire(timeout=DEADLINE)
        (id,) = set(server.call("GET", "/jobs").json()) - before
        server.call("POST", f"/jobs/{id}/pause")
        server.peer.gate.set()
        server.wait_for(id, "Paused")
        assert not answer.done()
        server.call("POST", f"/jobs/{id}/cancel")
        assert refused(answer.result(DEADLINE)) == (500, 37, "")


@pytest.mark.parametrize("kind", KINDS)
def test_the_history(request: pytest.FixtureRequest, kind: str) -> None:
    with running(request, kind, JobsHistorySize=2) as server:
        paused = server.in_state("Paused")
        server.peer.gate.set()
        ids = [server.submit(resources=0, priority=1) for _ in range(4)]
        server.wait_for(ids[3], "Success")
        until(lambda: len(server.call("GET", "/jobs").json()) <= 3, what="the oldest ones stay")
        assert paused in server.call("GET", "/jobs").json()
        assert is_bare(server.call("GET", f"/jobs/{ids[0]}"), 404)


@pytest.mark.parametrize("kind", KINDS)
def test_no_history(request: pytest.FixtureRequest, kind: str) -> None:
    with running(request, kind, JobsHistorySize=0) as server:
        details = 'Cannot retrieve the status of the job, make sure that "JobsHistorySize" is not 0'
        for name in ("gate", "dead"):
            answer = server.call("POST", f"/peers/{name}/store", [CT_STUDY])
            assert refused(answer) == (404, 7, details)
        assert server.call("GET", "/jobs").json() == []
        assert [body for *_, body, _ in server.peer.requests] == [CT]
