"""The names of headers on the wire, byte for byte those of the real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.rest.files import dicom_file
from tests.server.wire import connect

FILE = dicom_file("spelling", "1.2", "1.2.3", "1.2.3.4")
REQUESTS = {
    "GET /system": {"Content-Type", "Content-Length", "Connection", "Keep-Alive", "X-Content-Type-Options"},
    "GET {path}/attachments/dicom/data": {"ETag", "Content-Disposition"},
    "GET {path}/attachments/dicom/data\r\nRange: bytes=0-3": {"Content-Range"},
    "GET /series/{series}/archive": {"Content-Disposition", "Connection"},
    "GET /": {"Location"},
    "PUT /studies": {"Allow"},
    "GET /nope": {"Content-Type"},
}


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[int, dict[str, str]]]:
    """Port of a server, and the names of what it stores."""
    if request.param == "real":
        request.getfixturevalue("real_program")
    serve = RealOrthanc if request.param == "real" else orthanc_lab.serve
    with serve() as running:
        fields = requests.post(f"{running.url}/instances", data=FILE, timeout=10).json()
        yield running.port, {"path": fields["Path"], "series": fields["ParentSeries"]}


@pytest.mark.parametrize("line", REQUESTS)
def test_names_of_headers(server: tuple[int, dict[str, str]], line: str) -> None:
    port, names = server
    first, _, header = line.format(**names).partition("\r\n")
    lines = [f"{first} HTTP/1.1", "Host: localhost", "Content-Length: 0", *filter(None, [header])]
    with connect(port) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
    sent = {one.partition(b":")[0].decode() for one in received.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    assert sent >= REQUESTS[line]
