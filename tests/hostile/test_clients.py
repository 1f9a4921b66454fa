"""Clients that are slow, leave, or send what is no request: the others are served."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

import orthanc_lab
from tests.hostile.asking import SECONDS, ask, count
from tests.rest.files import dicom_file
from tests.server.wire import answer, connect, exchange
from tests.waiting import until

SYSTEM = b"GET /system HTTP/1.1\r\nHost: a\r\n\r\n"
UPLOAD = b"POST /instances HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
FILE = dicom_file("slow", "1.2", "1.2.3", "1.2.3.8", EncapsulatedDocument=bytes(200_000))


def threads(server: orthanc_lab.ChildServer) -> int:
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - no file of the disk
        return int(status.read().split("Threads:")[1].split()[0])


def read_to_the_end(client: socket.socket) -> None:
    try:
        while client.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass


def answers_soon(port: int) -> bool:
    try:
        status, body = exchange(port, SYSTEM, timeout=2)
    except TimeoutError:  # on a machine that is busy with other things
        return False
    return status == 200 and b"1.12.7" in body


@pytest.fixture
def many() -> Iterator[ExitStack]:
    with ExitStack() as connections:
        yield connections


@pytest.mark.parametrize("kind", ["head", "body", "nothing", "reader"])
def test_two_hundred_slow_clients(server: orthanc_lab.ChildServer, many: ExitStack, kind: str) -> None:
    """While 200 clients stand still `/system` answers within its 2 seconds; then they are let go."""
    stored = ask(server, "POST", "/instances", data=FILE).json()
    begins = {
        "head": b"POST /instances HTTP/1.1\r\nHos",
        "body": UPLOAD % len(FILE) + FILE[:1000],
        "nothing": b"",
        "reader": f"GET {stored['Path']}/file HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 20,
    }
    clients = [many.enter_context(connect(server.port, timeout=SECONDS)) for _ in range(200)]
    for client in clients:
        client.sendall(begins[kind])
    until(lambda: answers_soon(server.port))
    assert ask(server, "POST", "/tools/create-dicom", json={"Tags": {}}).status_code == 200
    for client in clients:  # each of them is let go
        read_to_the_end(client)


def test_an_upload_whose_client_leaves(server: orthanc_lab.ChildServer) -> None:
    for sent in (0, 10, len(FILE) // 2, len(FILE) - 1):
        with connect(server.port) as client:
            client.sendall(UPLOAD % len(FILE) + FILE[:sent])
    assert exchange(server.port, SYSTEM)[0] == 200
    assert count(server) == 0


def test_an_upload_that_stands_still_is_ended(server: orthanc_lab.ChildServer) -> None:
    with connect(server.port, timeout=20) as client:
        client.sendall(UPLOAD % len(FILE) + FILE[:-1])
        assert answer(client)[0] == 408
    assert count(server) == 0


@pytest.mark.parametrize("end", ["leaves", "stands still"])
def test_a_streamed_archive_whose_client(server: orthanc_lab.ChildServer, end: str) -> None:
    """Its job ends, and so does the thread that made the archive."""
    stored = [
        ask(
            server,
            "POST",
            "/instances",
            data=dicom_file("s", "1.2", "1.2.3", f"1.2.3.9.{n}", EncapsulatedDocument=noise(n)),
        )
        for n in range(30)
    ]
    series = stored[0].json()["ParentSeries"]
    before = threads(server)
    client = connect(server.port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET /series/{series}/archive HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert client.recv(100).startswith(b"HTTP/1.1 200")
    if end == "leaves":
        client.close()
    until(lambda: jobs_in_work(server) == 0 and threads(server) <= before + 4)
    client.close()


def noise(seed: int) -> bytes:
    """Return a megabyte that cannot be compressed."""
    import numpy as np

    content: bytes = np.random.default_rng(seed).bytes(1 << 20)
    return content


def jobs_in_work(server: orthanc_lab.ChildServer) -> int:
    return sum(job["State"] in ("Running", "Pending") for job in ask(server, "GET", "/jobs?expand").json())


@pytest.mark.parametrize(
    "head",
    [
        b"GET /system HTTP/1.1\r\nHost: a\r\nX-Test: a\0b\r\n\r\n",
        b"GET /system HTTP/1.1\r\nHost: a\r\nAuthorization: Basic \0\r\n\r\n",
        b"GET /sys\0tem HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /instances HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        b"POST /instances HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nx",
    ],
    ids=["NUL in a header", "NUL in a password", "NUL in a path", "length of 20 digits", "negative length"],
)
def test_what_is_no_request(server: orthanc_lab.ChildServer, head: bytes) -> None:
    status, body = exchange(server.port, head)
    assert status in (0, 400, 404)
    assert b"Traceback" not in body


def test_a_huge_length(server: orthanc_lab.ChildServer, many: ExitStack) -> None:
    """Nothing is set aside for what a client only announces, and it is let go when nothing comes."""
    clients = []
    for path in ("/instances", "/tools/create-dicom", "/tools/find"):
        for length in (1 << 40, (1 << 63) - 1, (1 << 64) - 1):
            client = many.enter_context(connect(server.port, timeout=20))
            client.sendall(
                f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode() + bytes(1000)
            )
            clients.append(client)
    for client in clients:
        assert answer(client)[0] in {0, 400, 408, 413, 431}
