"""Small requests of several clients are answered together, and each as if it were alone."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
import requests
from pydicom.uid import DeflatedExplicitVRLittleEndian

import orthanc_lab
from orthanc_lab.bench import material
from orthanc_lab.rest.making.plain_upload import plain_uploads
from orthanc_lab.server.http.connection import Connection
from orthanc_lab.server.http.server import HttpServer
from tests.server.wire import answer, connect
from tests.waiting import until

FIRST = 3  # requests of a client before it is watched
CLOSE = b"Connection: close\r\n"


class Application:
    """Answers by what is in the body, and takes note of what was answered together."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.alone: list[bytes] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.has_batch = threading.Event()
        self.error: Exception | None = None
        self.large = b""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        self.alone.append(body)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"alone: " + body]

    def answers_together(self, env: Any) -> bool:
        return bool(env["PATH_INFO"] == "/together")

    def answer_together(self, requests: Any) -> list[Any]:
        self.batches.append([body for _, body in requests])
        self.has_batch.set()
        assert self.may_answer.wait(10)
        if self.error is not None:
            raise self.error
        return [self._outcome(body) for _, body in requests]

    def _outcome(self, body: bytes) -> Any:
        if body == b"as usual":
            return None
        if body == b"failed":
            return self._fail
        data = self.large if body == b"large" else b"together: " + body
        return "200 OK", [("content-type", "text/plain"), ("content-length", str(len(data)))], data

    def _fail(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("507 Insufficient Storage", [])
        return [b"full: " + environ["wsgi.input"].read()]


class Client:
    def __init__(self, server: HttpServer) -> None:
        self.connection = connect(server.port)

    def send(self, body: bytes, path: str = "/together", fields: bytes = b"") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n".encode()
        self.connection.sendall(head + fields + b"\r\n" + body)

    def ask(self, body: bytes, path: str = "/together", fields: bytes = b"") -> tuple[int, bytes]:
        self.send(body, path, fields)
        return answer(self.connection)

    def is_closed(self) -> bool:
        return self.connection.recv(1) == b""


def final_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Read an answer, and the invitation that may come before it."""
    status, body = answer(connection)
    if status != 100:
        return status, body
    if not body:
        return answer(connection)
    head, _, body = body.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


class House:
    def __init__(self, **options: Any) -> None:
        self.application = Application()
        self.server = HttpServer(self.application, **{"keep_alive": 10, **options})
        self.server.start()
        self.clients: list[Client] = []

    def watched(self, count: int = 2) -> list[Client]:
        """Return clients whose next requests are answered together."""
        clients = [Client(self.server) for _ in range(count)]
        self.clients += clients
        for _ in range(FIRST):
            assert all(client.ask(b"first")[0] == 200 for client in clients)
        for client in clients:
            assert client.ask(b"a turn more")[0] == 200  # the first one was alone when its last request was answered
        assert self.application.batches
        return clients

    def close(self) -> None:
        self.application.may_answer.set()
        for client in self.clients:
            client.connection.close()
        self.server.stop()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


def test_a_client_alone_is_answered_by_its_own_thread(house: House) -> None:
    client = Client(house.server)
    house.clients.append(client)
    assert [client.ask(b"%d" % n) for n in range(10)] == [(200, b"alone: %d" % n) for n in range(10)]
    assert house.application.batches == []


def test_several_are_answered_together(house: House) -> None:
    clients = house.watched(3)
    application = house.application
    application.may_answer.clear()
    application.has_batch.clear()
    clients[0].send(b"0")
    assert application.has_batch.wait(10)
    clients[1].send(b"1")  # both come while the first one is being answered
    clients[2].send(b"2")
    application.may_answer.set()
    assert [answer(client.connection) for client in clients] == [(200, b"together: %d" % n) for n in range(3)]
    assert sorted(application.batches[-1]) == [b"1", b"2"]
    for turn in range(20):
        bodies = [b"%d of %d" % (turn, n) for n in range(3)]
        for client, body in zip(clients, bodies, strict=True):
            client.send(body)
        assert [answer(client.connection) for client in clients] == [(200, b"together: " + body) for body in bodies]


@pytest.mark.parametrize(
    ("body", "path", "fields", "expected"),
    [
        (b"as usual", "/together", b"", (200, b"alone: as usual")),
        (b"failed", "/together", b"", (507, b"full: failed")),
        (b"else", "/elsewhere", b"", (200, b"alone: else")),
        (b"", "/together", b"", (200, b"alone: ")),
        (b"x" * 100_000, "/together", b"", (200, b"alone: " + b"x" * 100_000)),
        (b"invited", "/together", b"Expect: 100-continue\r\n", (200, b"alone: invited")),
    ],
    ids=["left to its thread", "failed", "another path", "no body", "large", "invited"],
)
def test_what_is_not_answered_together(
    house: House, body: bytes, path: str, fields: bytes, expected: tuple[int, bytes]
) -> None:
    one, other = house.watched()
    one.send(body, path, fields)
    assert final_answer(one.connection) == expected
    assert other.ask(b"other") == (200, b"together: other")
    assert one.ask(b"again")[0] == 200


def test_one_that_asks_for_something_else_leaves_the_others_together(house: House) -> None:
    one, two, three = house.watched(3)
    house.application.may_answer.clear()
    house.application.has_batch.clear()
    one.send(b"1")
    assert house.application.has_batch.wait(10)
    two.send(b"2", "/elsewhere")
    three.send(b"3")
    house.application.may_answer.set()
    assert answer(one.connection) == (200, b"together: 1")
    assert answer(two.connection) == (200, b"alone: 2")
    assert answer(three.connection) == (200, b"together: 3")


@pytest.mark.parametrize("cut", [1, 20, 60, 75])
def test_a_request_in_pieces(house: House, cut: int) -> None:
    one, other = house.watched()
    data = b"POST /together HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n" + b"a body of twenty by."
    one.connection.sendall(data[:cut])
    assert other.ask(b"other") == (200, b"together: other")
    one.connection.sendall(data[cut:])
    assert answer(one.connection) == (200, b"alone: a body of twenty by.")


def test_two_requests_at_once(house: House) -> None:
    one, _ = house.watched()
    data = b"POST /together HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
    one.connection.sendall(data + b"1" + data + b"2")
    found = b""
    while b"2" not in found[-1:]:
        found += one.connection.recv(65536)
    assert found.count(b"HTTP/1.1 200 OK") == 2
    assert found.index(b"alone: 1") < found.index(b": 2")


@pytest.mark.parametrize("data", [b"POST /together HTTP/1.1\r\nContent-Length: -1\r\n\r\nx", b"\x16\x03\x01\r\n\r\n"])
def test_no_request_at_all(house: House, data: bytes) -> None:
    one, other = house.watched()
    one.connection.sendall(data)
    assert answer(one.connection)[0] == 400
    assert other.ask(b"other") == (200, b"together: other")


def test_the_last_request_of_a_connection(house: House) -> None:
    one, other = house.watched()
    assert one.ask(b"last", fields=CLOSE) == (200, b"alone: last")
    assert one.is_closed()
    other.connection.shutdown(socket.SHUT_WR)
    assert other.is_closed()


def test_a_client_that_reads_slowly_holds_nobody_up(house: House) -> None:
    house.application.large = b"x" * (8 << 20)
    one, other = house.watched()
    one.send(b"large")
    assert [other.ask(b"%d" % n) for n in range(5)] == [(200, b"together: %d" % n) for n in range(5)]
    assert answer(one.connection) == (200, house.application.large)
    assert one.ask(b"again")[0] == 200


def test_an_error_of_the_whole_batch(house: House, caplog: pytest.LogCaptureFixture) -> None:
    one, other = house.watched()
    house.application.error = RuntimeError("no batch today")
    assert one.ask(b"1") == (200, b"alone: 1")
    assert other.ask(b"2") == (200, b"alone: 2")
    assert "one by one from now on" in caplog.text


def test_an_error_of_the_server_itself(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clients = house.watched(3)
    monkeypatch.setattr(Connection, "offer", lambda self: 1 / 0)
    for _ in range(5):
        for number, client in enumerate(clients):
            assert client.ask(b"%d" % number) == (200, b"alone: %d" % number)
    assert "one by one from now on" in caplog.text


def test_a_system_without_a_thread_to_spare(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = [Client(house.server) for _ in range(3)]
    house.clients += clients

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for client in clients:
        assert client.ask(b"a thread of its own")[0] == 200
    monkeypatch.setattr(threading.Thread, "start", refuse)
    for turn in range(5):
        for client in clients:
            assert client.ask(b"%d" % turn) == (200, b"alone: %d" % turn)
    monkeypatch.undo()
    for _ in range(3):
        assert all(client.ask(b"again")[0] == 200 for client in clients)
    assert house.application.batches


def test_an_idle_client_is_let_go() -> None:
    house = House(keep_alive=1)
    try:
        one, other = house.watched()
        began = time.monotonic()
        assert one.is_closed()
        assert other.is_closed()
        assert time.monotonic() - began < 10
    finally:
        house.close()


def test_a_request_that_had_to_wait_is_not_late() -> None:
    house = House(keep_alive=1)
    try:
        one, other = house.watched()
        house.application.may_answer.clear()
        house.application.has_batch.clear()
        one.send(b"one")
        assert house.application.has_batch.wait(10)
        other.send(b"other")
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 2)  # more than an idle client has
        house.application.may_answer.set()
        assert answer(one.connection) == (200, b"together: one")
        assert answer(other.connection) == (200, b"together: other")
    finally:
        house.close()


def test_the_server_ends_while_clients_are_watched(house: House) -> None:
    clients = house.watched(4)
    house.server.stop()
    assert all(client.is_closed() for client in clients)
    assert not [
        thread for thread in threading.enumerate() if thread.name == "orthanc-lab-batches" and thread.is_alive()
    ]


def test_a_request_in_progress_is_answered_to_its_end(house: House) -> None:
    one, _ = house.watched()
    house.application.may_answer.clear()
    house.application.has_batch.clear()
    one.send(b"mine")
    assert house.application.has_batch.wait(10)
    stopping = threading.Thread(target=house.server.stop)
    stopping.start()
    house.application.may_answer.set()
    assert answer(one.connection) == (200, b"together: mine")
    assert one.is_closed()
    stopping.join(10)


# -- uploads ------------------------------------------------------------------------------


def test_uploads_of_several_clients() -> None:
    files = material.small_instances(400)
    broken = b"no DICOM at all"
    with orthanc_lab.serve() as server:

        def upload(part: list[bytes]) -> list[tuple[int, Any]]:
            with requests.Session() as session:
                found = []
                for number, file in enumerate(part):
                    for body in (file, broken) if number % 10 == 9 else (file,):
                        found.append(session.post(f"{server.url}/instances", data=body))
                return [(one.status_code, one.json()) for one in found]

        with ThreadPoolExecutor(4) as pool:
            answers = [one for part in pool.map(upload, [files[n::4] for n in range(4)]) for one in part]
        assert sorted({status for status, _ in answers}) == [200, 400]
        good = [body for status, body in answers if status == 200]
        assert {tuple(sorted(one)) for one in good} == {
            ("ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status")
        }
        assert {one["Status"] for one in good} == {"Success"}
        bad = [body for status, body in answers if status == 400]
        assert len(bad) == 40
        assert {(one["OrthancError"], one["OrthancStatus"]) for one in bad} == {("Bad file format", 15)}
        session = requests.Session()
        assert sorted(session.get(f"{server.url}/instances").json()) == sorted(one["ID"] for one in good)
        one = f"{server.url}/instances/{good[-1]['ID']}"
        assert session.get(f"{one}/metadata/RemoteIP").text == "127.0.0.1"
        assert session.get(f"{one}/metadata/Origin").text == "RestApi"
        assert session.get(f"{one}/file").content in files
        session.close()


def uploaded(url: str, files: list[bytes]) -> list[tuple[int, Any]]:
    """Upload by four clients at the same time; return status and answer of each, in any order."""

    def upload(part: list[bytes]) -> list[tuple[int, Any]]:
        with requests.Session() as session:
            answers = [session.post(f"{url}/instances", data=file) for file in part]
            return [(one.status_code, one.json() if one.content else None) for one in answers]

    with ThreadPoolExecutor(4) as pool:
        return [one for part in pool.map(upload, [files[n::4] for n in range(4)]) for one in part]


def test_a_server_that_stores_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with orthanc_lab.serve(ReadOnly=True) as server:
        (alone,) = uploaded(server.url, material.small_instances(1))
        assert alone == (405, None)
        assert uploaded(server.url, material.small_instances(80)) == [alone] * 80
        assert server.errors == []
    assert "one by one" not in caplog.text


@pytest.mark.parametrize("options", [{"IngestTranscoding": "1.2.840.10008.1.2.5"}, {"StorageCompression": True}])
def test_options_of_the_storage(options: dict[str, Any]) -> None:
    files = material.small_instances(40)
    with orthanc_lab.serve(**options) as server, requests.Session() as session:
        answers = uploaded(server.url, files)
        assert {(status, one["Status"]) for status, one in answers} == {(200, "Success")}
        syntax = options.get("IngestTranscoding", "1.2.840.10008.1.2.1")
        for _, one in answers:
            assert session.get(f"{server.url}{one['Path']}/metadata/TransferSyntax").text == syntax


def test_a_deflated_file_holds_nobody_up() -> None:
    """It may take as long as a thousand others: it is read by a thread of its own."""
    files = material.small_instances(20)
    data_set = pydicom.dcmread(io.BytesIO(files[0]))
    data_set.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    out = io.BytesIO()
    data_set.save_as(out)
    services: Any = SimpleNamespace(settings={"IngestTranscoding": ""}, storage=None)
    env = {"REQUEST_METHOD": "POST", "PATH_INFO": "/instances"}
    assert plain_uploads(services, [(env, out.getvalue())]) == [None]
    with orthanc_lab.serve() as server:
        answers = uploaded(server.url, [*files[1:], out.getvalue()])
        assert [one["Status"] for _, one in answers] == ["Success"] * 20


def test_users_stay_apart() -> None:
    users = {f"user{n}": f"secret{n}" for n in range(4)}
    files = material.small_instances(80)
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers=users) as server:

        def upload(number: int) -> list[tuple[str, str]]:
            found = []
            with requests.Session() as session:
                for turn, file in enumerate(files[number::4]):
                    wrong = turn % 7 == 6
                    session.auth = (f"user{number}", "wrong" if wrong else f"secret{number}")
                    answered = session.post(f"{server.url}/instances", data=file)
                    assert answered.status_code == (401 if wrong else 200)
                    if not wrong:
                        found.append((f"user{number}", answered.json()["ID"]))
            return found

        with ThreadPoolExecutor(4) as pool:
            stored = [one for part in pool.map(upload, range(4)) for one in part]
        with requests.Session() as session:
            session.auth = ("user0", "secret0")
            for user, id in stored:
                assert session.get(f"{server.url}/instances/{id}/metadata/HttpUsername").text == user
            assert len(session.get(f"{server.url}/instances").json()) == len(stored)
