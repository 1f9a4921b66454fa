"""DICOM over TLS to other nodes: who is trusted, and how each failure is told, here as by the real server."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.testing.real import RealOrthanc
from tests.archives.files import dicom
from tests.programs import program
from tests.waiting import until

CONNECTING = 'DicomAssociation - connecting to AET "SCP": '


@dataclass(frozen=True)
class Node:
    """DCMTK's storescp over TLS, which wants a certificate of us."""

    port: int
    certificates: Path
    received: Path

    def options(self, **options: Any) -> dict[str, Any]:
        """Return the options of a server that it accepts, and that trusts it."""
        tls = {
            "DicomTlsCertificate": str(self.certificates / "us.crt"),
            "DicomTlsPrivateKey": str(self.certificates / "us.key"),
            "DicomTlsTrustedCertificates": str(self.certificates / "node.crt"),
        }
        modality = {"AET": "SCP", "Host": "127.0.0.1", "Port": self.port, "UseDicomTls": True}
        other = {"DicomModalities": {"node": modality, "plain": {**modality, "UseDicomTls": False}}}
        return tls | other | {"DicomScuTimeout": 2, "DicomServerEnabled": False} | options

    def file(self, name: str) -> str:
        return str(self.certificates / name)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    openssl, storescp = program("openssl"), program("storescp")
    folder, received = tmp_path_factory.mktemp("certificates"), tmp_path_factory.mktemp("received")
    for name in ("us", "node", "other"):
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", f"/CN={name}"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
        subprocess.run([*command, *files], check=True, capture_output=True, timeout=60)
    (folder / "empty.crt").touch()
    port = free_port()
    tls = ["+tls", str(folder / "node.key"), str(folder / "node.crt"), "+cf", str(folder / "us.crt")]
    process = subprocess.Popen(
        [storescp, "--output-directory", str(received), *tls, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_listening(port))
        yield Node(port, folder, received)
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def serve(request: pytest.FixtureRequest) -> Callable[..., Any]:
    if request.param == "ours":
        return orthanc_lab.serve
    request.getfixturevalue("real_program")
    return RealOrthanc


def echo(server: Any, name: str = "node") -> tuple[int, int, str]:
    """Return the status of an echo, and the code and the details of its error."""
    answer = requests.post(f"{server.url}/modalities/{name}/echo", timeout=60)
    error = answer.json()
    return answer.status_code, error.get("OrthancStatus", 0), error.get("Details", "")


def test_what_is_sent_arrives(node: Node, serve: Callable[..., Any]) -> None:
    file = dicom(sop=f"1.2.{time.time_ns()}")
    with serve(**node.options()) as server:
        assert echo(server) == (200, 0, "")
        assert echo(server, "plain") == (500, 9, f"{CONNECTING}Peer aborted Association (or never connected)")
        before = len(list(node.received.iterdir()))
        assert requests.post(f"{server.url}/modalities/node/store-straight", data=file, timeout=60).status_code == 200
        until(lambda: len(list(node.received.iterdir())) == before + 1)


def test_a_node_that_is_not_trusted(node: Node, serve: Callable[..., Any]) -> None:
    with serve(**node.options(DicomTlsTrustedCertificates=node.file("other.crt"))) as server:
        assert echo(server) == (500, 9, f"{CONNECTING}TLS error: certificate verify failed")


@pytest.mark.parametrize(
    ("changed", "code", "details"),
    [
        (
            {"DicomTlsPrivateKey": "", "DicomTlsCertificate": ""},
            6,
            "DICOM TLS - No path to the private key of the local certificate was provided",
        ),
        (
            {"DicomTlsTrustedCertificates": ""},
            6,
            "DICOM TLS - No path to the trusted remote certificates was provided",
        ),
        (
            {"DicomTlsPrivateKey": "other.key"},
            15,
            "The private key doesn't match the own certificate: other.key vs. us.crt",
        ),
        (
            {"DicomTlsTrustedCertificates": "empty.crt"},
            15,
            "Cannot parse PEM file with trusted certificates for DICOM TLS: empty.crt",
        ),
    ],
)
def test_what_is_missing_or_wrong(
    node: Node, serve: Callable[..., Any], changed: dict[str, str], code: int, details: str
) -> None:
    paths = {name: node.file(file) if file else "" for name, file in changed.items()}
    with serve(**node.options(**paths)) as server:
        status, found, words = echo(server)
    assert (found, words.replace(f"{node.certificates}/", "")) == (code, details)
    assert status == (400 if code == 15 else 500)


def test_a_peer_that_says_nothing_is_given_up(node: Node) -> None:
    # The real server waits for ever.
    with socket.create_server(("127.0.0.1", 0)) as silent, orthanc_lab.serve(**node.options()) as server:
        modality = {"AET": "SCP", "Host": "127.0.0.1", "Port": silent.getsockname()[1], "UseDicomTls": True}
        requests.put(f"{server.url}/modalities/node", json={**modality, "Timeout": 1}, timeout=60)
        assert echo(server) == (500, 9, f"{CONNECTING}DUL network read timeout")


def test_a_peer_that_speaks_no_tls(node: Node) -> None:
    def talk(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening, orthanc_lab.serve(**node.options()) as server:
        threading.Thread(target=talk, args=(listening,), daemon=True).start()
        modality = {"AET": "SCP", "Host": "127.0.0.1", "Port": listening.getsockname()[1], "UseDicomTls": True}
        requests.put(f"{server.url}/modalities/node", json=modality, timeout=60)
        assert echo(server) == (500, 9, f"{CONNECTING}TLS error: wrong version number")
