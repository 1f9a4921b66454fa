"""The server stops while a node owes an answer without end: it does not wait for it, and the job goes on later."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.dicom_node import DicomNode
from tests.rest.test_peers import CT_INSTANCE, Caller, Peer, wait_for_end


def workers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("jobs-worker")}


@pytest.mark.parametrize(("operation", "permissive"), [("move", False), ("get", True)])
def test_a_stop_interrupts_what_waits_for_a_node(tmp_path: Path, operation: str, permissive: bool) -> None:
    before = workers()
    with DicomNode(*samples.dicom_files("mr")[:3], aet="NODE") as node:
        node.hold()
        modalities = {"node": {"AET": "NODE", "Host": "127.0.0.1", "Port": node.port}}
        query = {"StudyInstanceUID": node.datasets[0].StudyInstanceUID}
        body: dict[str, Any] = {"Level": "Study", "Resources": [query], "Asynchronous": True, "Permissive": permissive}
        body |= {"Timeout": 0} | ({"TargetAet": "NODE"} if operation == "move" else {})
        node.know("NODE", node.port)
        with orthanc_lab.serve(folder=tmp_path, DicomModalities=modalities) as server:
            job = Caller(server.url)("POST", f"/modalities/node/{operation}", body).json()["ID"]
            node.wait_until_held()
        assert workers() <= before
        node.let_go()
        with orthanc_lab.serve(folder=tmp_path, DicomModalities=modalities) as server:
            ended = wait_for_end(Caller(server.url), job)
    assert (ended["State"], ended["Progress"]) == ("Success", 100)


@pytest.mark.parametrize("operation", ["move", "get", "store"])
def test_a_stop_interrupts_what_waits_for_an_association(tmp_path: Path, operation: str) -> None:
    before = workers()
    with socket.create_server(("127.0.0.1", 0)) as node:
        node.settimeout(20)
        modalities = {"node": {"AET": "NODE", "Host": "127.0.0.1", "Port": node.getsockname()[1]}}
        with orthanc_lab.serve(folder=tmp_path, DicomModalities=modalities, DicomScuTimeout=0) as server:
            call = Caller(server.url)
            body: dict[str, Any] = {"Resources": [CT_INSTANCE], "Asynchronous": True}
            if operation != "store":
                body |= {"Level": "Study", "Resources": [{"StudyInstanceUID": "1.2"}]}
            assert call("POST", f"/modalities/node/{operation}", body).status_code == 200
            connection, _ = node.accept()
            assert connection.recv(1)  # the request, which nobody answers
        assert workers() <= before
        connection.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("path", ["/peers/p/store", "/transfers/send", "/transfers/pull"])
def test_a_stop_interrupts_what_waits_for_a_peer(tmp_path: Path, path: str, scheme: str) -> None:
    before = workers()
    with socket.create_server(("127.0.0.1", 0)) as peer:
        peer.settimeout(20)
        url = f"{scheme}://127.0.0.1:{peer.getsockname()[1]}/"
        with orthanc_lab.serve(folder=tmp_path, OrthancPeers={"p": [url]}, HttpTimeout=0) as server:
            call = Caller(server.url)
            body: dict[str, Any] = {"Resources": [CT_INSTANCE], "Asynchronous": True}
            if path != "/peers/p/store":
                body = {"Resources": [{"Level": "Instance", "ID": CT_INSTANCE}], "Compression": "none", "Peer": "p"}
            assert call("POST", path, body).status_code == 200
            connection, _ = peer.accept()
            assert connection.recv(1)  # of the request, or of the handshake
        assert workers() <= before
        connection.close()


@pytest.mark.parametrize("permissive", [False, True])
def test_a_stop_interrupts_what_is_being_sent(tmp_path: Path, permissive: bool) -> None:
    before = workers()
    peer = Peer()
    peer.gate.clear()
    with DicomNode(aet="NODE") as node:
        node.hold()
        options: dict[str, Any] = {
            "DicomModalities": {"node": {"AET": "NODE", "Host": "127.0.0.1", "Port": node.port}},
            "DicomScuTimeout": 0,
            "HttpTimeout": 0,
            "OrthancPeers": {"p": [peer.url]},
        }
        body = {"Resources": [CT_INSTANCE], "Asynchronous": True, "Permissive": permissive}
        with orthanc_lab.serve(folder=tmp_path, **options) as server:
            call = Caller(server.url)
            jobs = [call("POST", path, body).json()["ID"] for path in ("/modalities/node/store", "/peers/p/store")]
            node.wait_until_held()
            assert peer.arrived.acquire(timeout=20)
        assert workers() <= before
        node.let_go()
        peer.gate.set()
        with orthanc_lab.serve(folder=tmp_path, **options) as server:
            call = Caller(server.url)
            assert [wait_for_end(call, job)["State"] for job in jobs] == ["Success"] * 2
        assert node.instances
    assert len(peer.requests) == 2  # it was sent once more
    peer.close()
