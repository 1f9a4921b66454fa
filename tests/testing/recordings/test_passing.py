"""How answers and requests pass: while they come, in little memory, over TLS, from clients that leave."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

import orthanc_lab
from orthanc_lab.server.http.server import HttpServer
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing import Recorder, Recording
from orthanc_lab.testing.exchange import Exchange, send
from orthanc_lab.testing.faults import Faults, FaultyProxy
from tests.programs import program
from tests.waiting import until


@contextmanager
def upstream(application) -> Iterator[str]:
    server = HttpServer(application)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def test_an_answer_passes_while_it_comes(tmp_path: Path) -> None:
    goes_on = threading.Event()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"first"
        assert goes_on.wait(20)
        yield b"second"

    with upstream(application) as url, Recorder(url, tmp_path / "story") as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        connection.request("GET", "/slow")
        answer = connection.getresponse()
        assert answer.read1(100) == b"first"
        assert proxy.exchanges == 0
        goes_on.set()
        assert answer.read() == b"second"
        connection.close()
    with Recording(tmp_path / "story") as recording:
        (one,) = recording
        assert one.answer is not None
        assert (one.answer.read(), one.chunked, one.complete) == (b"firstsecond", True, True)


def test_pages_of_other_sites_are_refused(ours: orthanc_lab.EmbeddedServer, tmp_path: Path) -> None:
    """The proxy may log in for them; and the server behind it does not see that the name is not its own."""
    with Recorder(ours.url, tmp_path / "story") as proxy, FaultyProxy(ours.url, Faults()) as faulty:
        for url in (proxy.url, faulty.url):
            port = url.rpartition(":")[2]
            named = {"Host": f"evil.example:{port}"}
            assert requests.get(f"{url}/patients", headers=named, timeout=20).status_code == 403
            for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                sent = requests.post(f"{url}/tools/find", json={}, headers=foreign, timeout=20)
                assert sent.status_code == 403
            assert requests.get(f"{url}/patients", headers={"Sec-Fetch-Site": "cross-site"}, timeout=20).ok
            assert requests.get(f"{url}/patients", headers={"Host": f"localhost:{port}"}, timeout=20).ok
        assert proxy.exchanges == 2


def test_a_client_that_leaves_has_its_exchange_broken_off(tmp_path: Path) -> None:
    left = threading.Event()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"first"
        assert left.wait(20)
        yield from [bytes(1 << 16)] * 1000

    with upstream(application) as url, Recorder(url, tmp_path / "story") as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(4096)
        left.set()
        until(lambda: proxy.exchanges == 1)
    with Recording(tmp_path / "story") as recording:
        assert [(one.target, one.complete) for one in recording] == [("/long", False)]


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with Recorder(f"http://127.0.0.1:{free_port()}", tmp_path / "story") as proxy:
        answer = send(proxy.url, Exchange("GET", "/system"))
    assert answer.status == 502
    assert b"does not answer" in answer.body


def test_a_server_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [program("openssl"), "req", "-x509", *key, "-days", "2", "-subj", "/CN=localhost", "-keyout", "-"]
    (tmp_path / "both.pem").write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)
    with orthanc_lab.serve(SslEnabled=True, SslCertificate=str(tmp_path / "both.pem")) as server:
        with Recorder(server.url, tmp_path / "one") as proxy:
            assert send(proxy.url, Exchange("GET", "/system")).status == 502
        with Recorder(server.url, tmp_path / "two", verify=False) as proxy:
            assert send(proxy.url, Exchange("GET", "/system")).status == 200


@pytest.mark.long
def test_large_bodies_take_little_memory(tmp_path: Path) -> None:
    size = 300 << 20

    def application(environ, start_response):
        while environ["wsgi.input"].read(1 << 20):
            pass
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return (bytes([number % 256]) * (1 << 20) for number in range(size >> 20))

    port = free_port()
    with upstream(application) as url:
        command = [sys.executable, "-m", "orthanc_lab", "record", "--upstream", url, "--port", str(port)]
        with subprocess.Popen([*command, str(tmp_path / "story")], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            before = psutil.Process(process.pid).memory_info().rss
            body = (bytes([number % 256]) * (1 << 20) for number in range(size >> 20))
            with requests.post(f"http://127.0.0.1:{port}/x", data=body, stream=True, timeout=60) as answer:
                assert sum(map(len, answer.iter_content(1 << 20))) == size
            after = psutil.Process(process.pid).memory_info().rss
            process.terminate()
    assert after - before < 40 << 20
