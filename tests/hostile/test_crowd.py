"""Three hundred clients that hold what they can, and a server with 400 descriptors: another one is answered at once."""

from __future__ import annotations

import json
import resource
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orthanc_lab.server.loopback import free_port, is_listening
from tests.hostile.crowd import Crowd, kinds
from tests.programs import program
from tests.rest.files import dicom_file
from tests.server.wire import answer
from tests.waiting import until

CLIENTS = 300
DESCRIPTORS = 400
WITHIN_S = 2.0
LASTS_S = 3.0
PASSWORD = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n"  # alice:secret
LONG = dicom_file("crowd", "1.2", "1.2.3", "1.2.3.8", EncapsulatedDocument=bytes(1_000_000))
KINDS = list(kinds("/", ""))
HOLDING = [name for name in KINDS if name not in ("refused request", "half closed", "slow chunks")]


@dataclass(frozen=True, slots=True)
class Victim:
    """A server in a process of its own, with few descriptors."""

    port: int
    tls: ssl.SSLContext | None
    headers: str  # that carry the password

    def exchange(self, head: str, body: bytes = b"", seconds: float = WITHIN_S) -> tuple[int, bytes]:
        """Ask on a fresh connection; TimeoutError if it takes longer."""
        with ExitStack() as stack:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=seconds))
            if self.tls is not None:
                client = stack.enter_context(self.tls.wrap_socket(client))
            lines = f"{head} HTTP/1.1\r\nHost: localhost\r\n{self.headers}Content-Length: {len(body)}\r\n\r\n"
            client.sendall(lines.encode() + body)
            return answer(client)

    def stores(self, file: bytes) -> bool:
        """Whether an upload is answered. On a busy machine this client is late as well, and loses its place."""
        try:
            return self.exchange("POST /instances", file, seconds=30)[0] == 200
        except OSError:
            return False

    def answers_soon(self) -> bool:
        """Whether each fresh client is answered in time, for a while."""
        end = time.monotonic() + LASTS_S
        while (began := time.monotonic()) < end:
            try:
                status, _ = self.exchange("GET /system")
            except (OSError, TimeoutError):
                return False
            if status != 200 or time.monotonic() - began > WITHIN_S:
                return False
        return True


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -keyout -"
    run = subprocess.run([program("openssl"), *words.split()], check=True, capture_output=True, timeout=30)
    file = tmp_path_factory.mktemp("crowd") / "certificate.pem"
    file.write_bytes(run.stdout)
    return file


@contextmanager
def serving(folder: Path, certificate: Path | None, *, password: bool) -> Iterator[Victim]:
    port = free_port()
    options: dict[str, object] = {
        "HttpPort": port, "DicomServerEnabled": False, "StorageDirectory": str(folder / "storage"),
        "AuthenticationEnabled": password, "RegisteredUsers": {"alice": "secret"},
        "SslEnabled": certificate is not None, "SslCertificate": str(certificate),
    }  # fmt: skip
    (folder / "configuration.json").write_text(json.dumps(options))
    start = [sys.executable, "-m", "orthanc_lab", str(folder / "configuration.json")]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(start, stdout=log, stderr=log)
    try:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        until(lambda: is_listening(port))
        tls = None
        if certificate is not None:
            tls = ssl.create_default_context(cafile=str(certificate))
            tls.check_hostname = False
        yield Victim(port, tls, PASSWORD if password else "")
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in (folder / "log.txt").read_text()


def holds_out(victim: Victim, names: list[str], headers: str) -> None:
    status, body = victim.exchange("POST /instances", LONG, seconds=30)
    assert status == 200, body
    every = kinds(f"{json.loads(body)['Path']}/file", headers)
    chosen = [every[name] for name in names]
    with Crowd(victim.port, chosen, CLIENTS, victim.tls) as crowd:
        until(victim.answers_soon, seconds=60, what=lambda: f"no answer within {WITHIN_S} s; {crowd.visits} visits")
        small = dicom_file("crowd", "1.2", "1.2.3", "1.2.3.9")
        until(lambda: victim.stores(small), seconds=60, what=lambda: f"no upload is answered; {crowd.visits} visits")


@pytest.mark.parametrize("encrypted", [False, pytest.param(True, marks=pytest.mark.long)], ids=["plain", "TLS"])
@pytest.mark.parametrize("knows", [False, True], ids=["before the password", "after it"])
def test_three_hundred_clients_of_all_kinds(tmp_path: Path, certificate: Path, encrypted: bool, knows: bool) -> None:
    with serving(tmp_path, certificate if encrypted else None, password=True) as victim:
        holds_out(victim, HOLDING, PASSWORD if knows else "")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", KINDS)
def test_three_hundred_clients_of_one_kind(
    tmp_path: Path, certificate: Path, name: str, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long"):
        pytest.skip("all kinds at once are tried above")
    for place, encrypted in enumerate([False, True]):
        folder = tmp_path / str(place)
        folder.mkdir()
        with serving(folder, certificate if encrypted else None, password=False) as victim:
            holds_out(victim, [name], "")
