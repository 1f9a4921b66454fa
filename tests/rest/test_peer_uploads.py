"""Many instances on their way to a peer at the same time: what one sees is as if they went one by one."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.bench import material
from tests.rest.test_peers import Caller, wait_for_end
from tests.waiting import until

COUNT = 20
FILES = material.small_instances(COUNT)


class CrowdedPeer:
    """A peer that knows how many uploads it has at the same time, and answers each as it is told."""

    def __init__(self) -> None:
        self.answer: Callable[[int, int, bytes], int] = lambda number, others, body: 200
        self.bodies: list[bytes] = []  # of those that were answered with 200, in the order of the answers
        self.refused: list[bytes] = []
        self.ports: set[int] = set()
        self.number = 0  # of uploads so far
        self.now = self.most = 0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with peer._lock:
                    number, others = peer.number, peer.now
                    peer.number, peer.now = number + 1, others + 1
                    peer.most = max(peer.most, peer.now)
                    peer.ports.add(self.client_address[1])
                peer.gate.wait(20)
                status = peer.answer(number, others, body)
                with peer._lock:
                    peer.now -= 1
                    (peer.bodies if status == 200 else peer.refused).append(body)
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a caller that has left
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def peer() -> Iterator[CrowdedPeer]:
    made = CrowdedPeer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def call() -> Iterator[Caller]:
    with orthanc_lab.serve() as server:
        caller = Caller(server.url)
        for file in FILES:
            caller("POST", "/instances", file)
        yield caller
        assert server.errors == []


@pytest.fixture(scope="module")
def instances(call: Caller) -> list[str]:
    """The identifiers of FILES, in their order."""
    return [call("POST", "/instances", file).json()["ID"] for file in FILES]


def submit(call: Caller, peer: CrowdedPeer, instances: list[str], **fields: Any) -> str:
    call("PUT", "/peers/p", [peer.url])
    body = {"Resources": instances, "Asynchronous": True, **fields}
    return str(call("POST", "/peers/p/store", body).json()["ID"])


def test_some_go_at_the_same_time(call: Caller, peer: CrowdedPeer, instances: list[str]) -> None:
    arrived = threading.Barrier(8)

    def answer(number: int, others: int, body: bytes) -> int:
        if number in range(4, 12):
            arrived.wait(20)  # until all eight are there
        return 200

    peer.answer = answer
    ended = wait_for_end(call, submit(call, peer, instances))
    assert (ended["State"], ended["Content"]["Size"]) == ("Success", str(sum(map(len, FILES))))
    assert sorted(peer.bodies) == sorted(FILES)
    assert (peer.bodies[:4], peer.most, len(peer.ports)) == (FILES[:4], 8, 8)


def test_nothing_changes_for_a_peer_that_takes_one_at_a_time(
    call: Caller, peer: CrowdedPeer, instances: list[str]
) -> None:
    peer.answer = lambda number, others, body: 503 if others else 200
    ended = wait_for_end(call, submit(call, peer, instances))
    assert (ended["State"], ended["Content"]["FailedInstancesCount"]) == ("Success", 0)
    assert sorted(peer.bodies) == sorted(FILES)
    assert ended["Content"]["Size"] == str(sum(map(len, FILES)))


@pytest.mark.parametrize("refused_one", [2, 9])
def test_the_first_failure_in_order_is_the_one(
    call: Caller, peer: CrowdedPeer, instances: list[str], refused_one: int
) -> None:
    peer.answer = lambda number, others, body: 500 if body in (FILES[refused_one], FILES[refused_one + 2]) else 200
    ended = wait_for_end(call, submit(call, peer, instances))
    assert (ended["State"], ended["ErrorCode"], ended["Progress"]) == ("Failure", 9, 100 * refused_one // COUNT)
    assert ended["Content"]["Size"] == str(sum(map(len, FILES[: refused_one + 1])))


def test_permissive(call: Caller, peer: CrowdedPeer, instances: list[str]) -> None:
    bad = [FILES[5], FILES[6], FILES[-1]]
    peer.answer = lambda number, others, body: 500 if body in bad else 200
    ended = wait_for_end(call, submit(call, peer, instances, Permissive=True))
    assert (ended["State"], ended["Content"]["FailedInstancesCount"]) == ("Success", 0)
    assert sorted(peer.bodies) == sorted(set(FILES) - set(bad))
    assert set(peer.refused) == set(bad)


def test_what_vanishes_among_many(call: Caller, peer: CrowdedPeer, instances: list[str]) -> None:
    gone = call("POST", "/instances", material.small_instances(1)[0]).json()["ID"]
    peer.gate.clear()
    job = submit(call, peer, [*instances[:10], gone, *instances[10:]], Permissive=True)
    until(lambda: peer.now == 1)
    call("DELETE", f"/instances/{gone}")
    peer.gate.set()
    ended = wait_for_end(call, job)
    assert (ended["State"], ended["Content"]["FailedInstancesCount"]) == ("Success", 1)
    assert sorted(peer.bodies) == sorted(FILES)


def test_a_pause_sends_nothing_twice(call: Caller, peer: CrowdedPeer, instances: list[str]) -> None:
    waiting = threading.Event()

    def answer(number: int, others: int, body: bytes) -> int:
        if number == 8:
            call("POST", f"/jobs/{job}/pause")
            waiting.set()
        return 200

    peer.answer = answer
    peer.gate.clear()
    job = submit(call, peer, instances)
    peer.gate.set()
    paused = wait_for_end(call, job)
    assert waiting.is_set()
    assert (paused["State"], peer.now) == ("Paused", 0)
    assert 0 < paused["Progress"] < 100
    sent = int(paused["Content"]["Size"])
    assert sent == sum(map(len, FILES[: round(paused["Progress"] * COUNT / 100)]))
    call("POST", f"/jobs/{job}/resume")
    assert wait_for_end(call, job)["State"] == "Success"
    assert sorted(peer.bodies) == sorted(FILES)


def test_a_cancel_leaves_the_rest(call: Caller, peer: CrowdedPeer, instances: list[str]) -> None:
    def answer(number: int, others: int, body: bytes) -> int:
        if number == 8:
            call("POST", f"/jobs/{job}/cancel")
        return 200

    peer.answer = answer
    peer.gate.clear()
    job = submit(call, peer, instances)
    peer.gate.set()
    assert wait_for_end(call, job)["ErrorCode"] == 37
    until(lambda: peer.now == 0)
    assert len(peer.bodies) < COUNT
    assert call("POST", f"/jobs/{job}/resubmit").status_code == 200
    assert wait_for_end(call, job)["State"] == "Success"
    assert set(peer.bodies) == set(FILES)


def test_a_restart_in_the_middle(tmp_path: Path, peer: CrowdedPeer) -> None:
    reached = threading.Event()

    def answer(number: int, others: int, body: bytes) -> int:
        if number == 9:
            reached.set()
            held.wait(20)
        return 200

    held = threading.Event()
    peer.answer = answer
    with orthanc_lab.serve(folder=tmp_path, process=True) as server:
        call = Caller(server.url)
        uploaded = [call("POST", "/instances", file).json()["ID"] for file in FILES]
        job = submit(call, peer, uploaded)
        assert reached.wait(20)
        server.kill()
        held.set()
    with orthanc_lab.serve(folder=tmp_path, OrthancPeers={}) as again:
        ended = wait_for_end(Caller(again.url), job)
    assert (ended["State"], ended["Content"]["FailedInstancesCount"]) == ("Success", 0)
    assert set(peer.bodies) == set(FILES)


def test_a_stop_while_one_is_to_be_sent_again_leaves_none_out(tmp_path: Path, peer: CrowdedPeer) -> None:
    """It waits for the others that are on their way; the stop cuts those, and is no failure of the peer."""
    refused, held = threading.Event(), threading.Event()

    def answer(number: int, others: int, body: bytes) -> int:
        if number == 4:
            until(lambda: peer.now == 4)
            refused.set()
            return 500
        if 4 < number < 8:
            held.wait(20)
        return 200

    peer.answer = answer
    with orthanc_lab.serve(folder=tmp_path, OrthancPeers={"p": [peer.url]}) as server:
        call = Caller(server.url)
        uploaded = [call("POST", "/instances", file).json()["ID"] for file in FILES]
        job = submit(call, peer, uploaded, Permissive=True)
        assert refused.wait(20)
    held.set()
    with orthanc_lab.serve(folder=tmp_path, OrthancPeers={"p": [peer.url]}) as again:
        assert wait_for_end(Caller(again.url), job)["State"] == "Success"
    assert set(peer.bodies) == set(FILES)


def test_without_threads(peer: CrowdedPeer) -> None:
    with orthanc_lab.in_process(executor="inline", OrthancPeers={"p": [peer.url]}) as server:
        client = orthanc_lab.Client.from_server(server)
        ids = [client.transport.json("POST", "/instances", data=file)["ID"] for file in FILES]
        content = client.transport.json("POST", "/peers/p/store", json={"Resources": ids})
        assert content["InstancesCount"] == COUNT
    assert sorted(peer.bodies) == sorted(FILES)
