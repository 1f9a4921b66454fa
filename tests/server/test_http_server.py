"""The HTTP server: its contract with the application, and clients that behave badly."""

import contextlib
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import requests

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.http import wire
from orthanc_lab.server.http.acceptor import listen
from orthanc_lab.server.http.server import HttpServer
from tests.server.wire import answer, connect, exchange

SLOW = 0.4  # seconds of HttpRequestTimeout in these tests


class Application:
    """Answers by what the path says, and remembers what happened."""

    def __init__(self):
        self.closed = threading.Event()
        self.failed = threading.Event()
        self.waits = threading.Event()
        self.go_on = threading.Event()
        self.bodies = threading.Semaphore(0)  # one for each body that is about to be read
        self.path = None  # of a file that is sent
        self.announced_size = 0

    def __call__(self, environ, start_response):
        try:
            return getattr(self, environ["PATH_INFO"].strip("/"))(environ, start_response)
        except OrthancError:
            self.failed.set()
            raise

    def environment(self, environ, start_response):
        start_response("200 OK", [])
        return [repr(sorted(environ)).encode()]

    def length(self, environ, start_response):
        self.bodies.release()
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(body)).encode()]

    def pieces(self, environ, start_response):
        source = environ["wsgi.input"]
        sizes = [len(source.read(10)), len(source.read(70_000)), len(source.read()), len(source.read(5))]
        start_response("200 OK", [])
        return [repr(sizes).encode()]

    def stream(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "application/zip")])
        return self.endless()

    def endless(self):
        try:
            while True:
                yield bytes(65536)
        finally:
            self.closed.set()

    def file(self, environ, start_response):
        start_response("200 OK", [("Content-Length", str(self.announced_size))])
        return File(self)

    def broken(self, environ, start_response):
        def body():
            yield b"first half"
            raise ValueError("in the middle")

        start_response("200 OK", [])
        return body()

    def wait(self, environ, start_response):
        self.waits.set()
        self.go_on.wait(10)
        start_response("200 OK", [])
        return [b"waited"]

    def unread(self, environ, start_response):
        start_response("401 Unauthorized", [])
        return [b"who are you"]

    def announced(self, environ, start_response):
        start_response("200 OK", [("content-length", "1000")])
        return iter([b"too ", b"short"])

    def pair(self, environ, start_response):
        start_response("200 OK", [])
        return iter([b"one", b"", b"two"])

    def injected(self, environ, start_response):
        start_response("200 OK", [("Content-Disposition", "a\r\nSet-Cookie: b")])
        return [b"never sent"]

    def unwritable(self, environ, start_response):
        start_response("200 OK", [("Content-Disposition", "\u20ac")])
        return [b"never sent"]

    def remote(self, environ, start_response):
        start_response("200 OK", [])
        return [environ["REMOTE_ADDR"].encode()]

    def nothing(self, environ, start_response):
        start_response("204 No Content", [])
        return []

    def crash(self, environ, start_response):
        raise ValueError("an error outside of Falcon")


class File:
    """A body that is a file: its pieces are not asked for where the system can send it."""

    def __init__(self, app):
        self._app = app
        self._file = app.path.open("rb", buffering=0)
        self.descriptor = self._file.fileno()

    def __iter__(self):
        raise AssertionError("read in place of being sent")

    def close(self):
        self._file.close()
        self._app.closed.set()


def read_to_the_end(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def app():
    return Application()


@pytest.fixture
def server(app):
    server = HttpServer(app, request_timeout=SLOW)
    server.start()
    yield server
    app.go_on.set()
    server.stop()


@pytest.fixture
def ask(server):
    with requests.Session() as session:
        yield lambda path, **options: session.get(f"http://127.0.0.1:{server.port}{path}", timeout=10, **options)


# -- the contract with the application --------------------------------------------------


def test_the_environment_is_that_of_pep_3333(ask, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_THE_PROCESS", "1")
    names = ask("/environment?a=b").text
    for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "SERVER_PORT", "wsgi.input"):
        assert f"'{name}'" in names
    assert "A_SECRET" not in names


def test_an_error_outside_of_the_application_is_500(ask):
    assert ask("/crash").status_code == 500
    assert ask("/environment").status_code == 200


def test_a_port_in_use(server, app):
    with pytest.raises(OrthancError) as refused:
        HttpServer(app, port=server.port)
    assert refused.value.code == 2003
    assert refused.value.details == f" (port = {server.port})"


@pytest.mark.parametrize("port", [65536, 99999])
def test_a_port_that_is_none(app, port):
    with pytest.raises(OrthancError):
        HttpServer(app, port=port)


def test_a_server_that_was_never_started_frees_its_port(app):
    server = HttpServer(app)
    server.stop()
    HttpServer(app, port=server.port).stop()


def test_start_and_stop_again_on_one_port(app):
    port = 0
    for _ in range(3):
        server = HttpServer(app, port=port)
        server.start()
        port = server.port
        assert exchange(port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
        server.stop()


@pytest.mark.parametrize("wanted", [True, False])
def test_whether_a_small_answer_may_be_held_back(wanted):
    # Nagle's delay is 40 ms for each request. Accepted sockets inherit what the listening one has.
    listener = listen("127.0.0.1", 0, 30, no_delay=wanted)
    with listener, connect(listener.getsockname()[1]), listener.accept()[0] as accepted:
        assert bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) == wanted


def test_stop_waits_for_requests_in_work(server, app):
    with connect(server.port) as connection:
        connection.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        assert app.waits.wait(10)
        server.refuse()
        app.go_on.set()
        assert answer(connection) == (200, b"waited")


def test_stop_cuts_what_does_not_end(app):
    server = HttpServer(app, request_timeout=30)
    server.start()
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
        assert app.bodies.acquire(timeout=30)
        server.stop(timeout=0.2)
        assert answer(connection)[0] == 0
    assert app.failed.wait(30)


# -- bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1_000_000])
def test_a_body_is_read_whole(server, size):
    body = bytes(size)
    head = f"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()
    assert exchange(server.port, head + body) == (200, str(size).encode())


def test_a_body_is_read_in_pieces(server):
    head = b"POST /pieces HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    assert exchange(server.port, head + bytes(100_000)) == (200, b"[10, 70000, 29990, 0]")


def test_a_chunked_body(server):
    data = b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert exchange(server.port, data) == (200, b"5")


def test_a_body_that_ends_too_early_is_no_body(server, app):
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    assert app.failed.wait(30)


@pytest.mark.parametrize(
    "data", [b"3\r\nabc", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n", b"zz\r\n", b"3\r\nabcd\r\n0\r\n\r\n"]
)
def test_chunks_that_are_cut_off_are_no_body(server, app, data):
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        connection.shutdown(socket.SHUT_WR)
        assert app.failed.wait(30)
        assert answer(connection)[0] in (0, 500)


def test_a_client_that_waits_to_be_invited(server):
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert answer(connection) == (200, b"3")
        connection.sendall(b"POST /unread HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert answer(connection) == (401, b"who are you")
        assert connection.recv(100) == b""


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_a_body_that_nobody_reads_is_skipped(server, size):
    head = f"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode()
    with connect(server.port) as connection:
        for _ in range(3):
            connection.sendall(head + bytes(size))
            assert answer(connection) == (401, b"who are you")


def test_a_large_body_that_nobody_reads_ends_the_connection_after_the_answer(server):
    size = 5_000_000
    with connect(server.port) as connection:
        connection.sendall(f"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size))
        assert answer(connection) == (401, b"who are you")
        assert connection.recv(100) == b""


# -- one request after the other ---------------------------------------------------------


def test_requests_on_one_connection(server):
    with connect(server.port) as connection:
        for size in (5, 5, 0, 100_000, 5):
            connection.sendall(
                f"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size)
            )
            assert answer(connection) == (200, str(size).encode())


def test_requests_that_do_not_wait_for_each_other(server):
    request = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
    chunked = b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with connect(server.port) as connection:
        connection.sendall(
            b"\r\n" + request + chunked + b"\r\n" + request + b"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        connection.shutdown(socket.SHUT_WR)
        received = read_to_the_end(connection)
    statuses = [answer.split(b"\r\n")[0] for answer in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200 OK"] * 3 + [b"204 No Content"]
    assert [answer[-1:] for answer in received.split(b"HTTP/1.1 ")[1:4]] == [b"2", b"3", b"2"]
    assert received.endswith(b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("first", "header", "stays"),
    [
        ("GET /nothing HTTP/1.1", "", True),
        ("GET /nothing HTTP/1.1", "Connection: close\r\n", False),
        ("GET /nothing HTTP/1.0", "", False),
        ("GET /nothing HTTP/1.0", "Connection: Keep-Alive\r\n", True),
        ("GET /pair HTTP/1.0", "Connection: Keep-Alive\r\n", False),
        ("GET /pair HTTP/1.1", "", True),
    ],
)
def test_whether_a_connection_stays(server, first, header, stays):
    with connect(server.port) as connection:
        connection.sendall(f"{first}\r\nHost: a\r\n{header}\r\n".encode())
        if stays:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            connection.sendall(b"GET /wait HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert server._app.waits.wait(30)
            server._app.go_on.set()
        assert read_to_the_end(connection).endswith(b"waited") == stays


def test_a_server_that_keeps_no_connection(app):
    server = HttpServer(app, keep_alive=False)
    server.start()
    try:
        with connect(server.port) as connection:
            connection.sendall(b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer(connection)[0] == 200
            assert connection.recv(10) == b""
    finally:
        server.stop()


def test_more_connections_than_threads(app, monkeypatch):
    monkeypatch.setattr("orthanc_lab.server.http.server._most_connections", lambda: 3)
    server = HttpServer(app)
    server.start()
    connections = [connect(server.port) for _ in range(6)]
    try:
        for connection in connections:
            connection.sendall(b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")
        for connection in connections:  # the last ones are served when the first ones leave
            assert answer(connection)[0] == 200
            connection.close()
    finally:
        server.stop()


def test_idle_connections_do_not_hold_up_a_stop(app):
    server = HttpServer(app, request_timeout=30)
    server.start()
    with connect(server.port) as silent, connect(server.port) as connection:
        connection.sendall(b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer(connection)[0] == 200
        server.stop(timeout=60)  # the test would run into its time-out
        assert connection.recv(10) == silent.recv(10) == b""


# -- answers -----------------------------------------------------------------------------


def test_a_stream_of_unknown_length(ask):
    got = ask("/pair")
    assert (got.content, got.headers["Transfer-Encoding"]) == (b"onetwo", "chunked")


def test_a_stream_for_an_old_client_ends_with_the_connection(server):
    with connect(server.port) as connection:
        connection.sendall(b"GET /pair HTTP/1.0\r\n\r\n")
        assert read_to_the_end(connection).endswith(b"\r\n\r\nonetwo")


@pytest.mark.parametrize("path", ["environment", "pair", "nothing"])
def test_no_body_where_none_belongs(server, path):
    with connect(server.port) as connection:
        connection.sendall(f"HEAD /{path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        received = read_to_the_end(connection)
    assert received.endswith(b"\r\n\r\n")
    assert received.count(b"\r\n\r\n") == 1


def test_a_stream_shorter_than_announced_does_not_look_whole(server):
    with connect(server.port) as connection:
        connection.sendall(b"GET /announced HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            read_to_the_end(connection)


@pytest.mark.parametrize("path", ["/injected", "/unwritable"])
def test_a_header_that_cannot_be_sent(server, path):
    assert exchange(server.port, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) == (500, b"")


# -- bad requests: the server answers 400 by itself and lives ----------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET /environment HTTP/1.1\r\nHost: a\r\nX-Header: a\0b\r\n\r\n",
        b"GET /environment HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n",
        b"GET /environment HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /environment HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"GET /environment HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /environment HTTP/9.9\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a server without
    ],
)
def test_what_is_no_http(server, data):
    assert exchange(server.port, data) in ((400, b""), (0, b""))
    assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200


def test_more_headers_than_fit(server):
    headers = (b"X-Header: " + b"x" * 1000 + b"\r\n") * 1000
    status, _ = exchange(server.port, b"GET /environment HTTP/1.1\r\n" + headers + b"\r\n")
    assert status in (400, 431, 0)
    assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200


# -- slow and vanishing clients ----------------------------------------------------------


def test_a_request_that_does_not_come_to_its_end(server):
    with connect(server.port) as connection:
        connection.sendall(b"GET /environment HTTP/1.1\r\nHost")
        assert answer(connection)[0] in (0, 408)


def test_a_connection_without_a_request(server):
    with connect(server.port) as connection:
        assert answer(connection)[0] == 0


def test_a_body_that_stands_still(server, app):
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        assert answer(connection)[0] == 408
        assert app.failed.wait(30)
        assert connection.recv(10) == b""


def test_a_huge_body_that_never_comes(server):
    head = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n"
    assert exchange(server.port, head + bytes(1000))[0] == 408


def test_a_slow_body_that_makes_progress(server):
    with connect(server.port) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 327680\r\n\r\n")
        for _ in range(5):
            time.sleep(SLOW / 2)  # slower in all than the time-out, but never still for so long
            connection.sendall(bytes(65536))
        assert answer(connection) == (200, b"327680")


def test_a_client_that_waits_is_no_stalled_one(server, app):
    with connect(server.port) as waiting:
        waiting.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        test_a_body_that_stands_still(server, app)
        app.go_on.set()
        assert answer(waiting) == (200, b"waited")


@pytest.fixture
def large_file(app, tmp_path):
    """The content of a file that the application answers."""
    app.path = tmp_path / "file"
    content = bytes(range(256)) * 40_000
    app.path.write_bytes(content)
    app.announced_size = len(content)
    return content


def test_a_file_is_sent_by_the_system(server, app, ask, large_file):
    assert ask("/file").content == large_file
    assert ask("/environment").status_code == 200
    assert app.closed.wait(30)
    assert ask("/file", headers={"Connection": "close"}).content == large_file


def test_a_file_shorter_than_announced_does_not_look_whole(server, app, large_file):
    app.announced_size += 1
    with connect(server.port) as connection:
        connection.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            read_to_the_end(connection)
    assert app.closed.wait(30)


@pytest.mark.parametrize("path", ["stream", "file"])
def test_a_client_that_leaves_ends_the_stream(server, app, large_file, path):
    with connect(server.port) as connection:
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        connection.recv(1000)
    assert app.closed.wait(30)


@pytest.mark.parametrize("path", ["stream", "file"])
def test_a_client_that_does_not_read(app, large_file, path):
    server = HttpServer(app, request_timeout=1)
    server.start()
    try:
        with connect(server.port) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert app.closed.wait(30)
    finally:
        server.stop()


def test_a_stream_that_fails_does_not_look_whole(server, ask):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask("/broken")
    assert ask("/environment").status_code == 200


def test_many_streams_and_one_that_fails(server, ask):
    others = [connect(server.port) for _ in range(5)]
    try:
        for other in others:
            other.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            ask("/broken")
        for other in others:
            assert len(other.recv(1000)) == 1000
    finally:
        for other in others:
            other.close()


def test_two_hundred_slow_clients(app):
    server = HttpServer(app, request_timeout=30)
    server.start()
    slow = [connect(server.port) for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            if number % 2:
                connection.sendall(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            else:
                connection.sendall(b"GET /environment HTTP/1.1\r\nHos")
        for _ in range(100):
            assert app.bodies.acquire(timeout=30)
        assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    finally:
        for connection in slow:
            connection.close()
        server.stop()


def ends_within(connection, seconds):
    """Whether the server ends a connection in this time although the client sends a byte now and then."""
    end = time.monotonic() + seconds
    connection.settimeout(0.1)
    while time.monotonic() < end:
        try:
            if not connection.recv(65536):
                return True
        except TimeoutError:
            with contextlib.suppress(OSError):
                connection.send(b"\n")
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    "begin",
    [
        b"\r\n",  # blank lines
        b"GET /environment HTTP/1.1\r\nHost: a",  # a head
        b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",  # a body
        b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;extension=",
        b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",  # a body that nobody wants
        b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n",
        b"hello\r\n\r\n",  # what was refused
    ],
)  # fmt: skip
def test_a_client_that_sends_a_byte_now_and_then_is_given_up(server, begin):
    with connect(server.port) as connection:
        connection.sendall(begin)
        assert ends_within(connection, 10)


@pytest.mark.parametrize("path", ["stream", "file"])
def test_a_reader_that_takes_a_little_now_and_then_is_given_up(app, large_file, path):
    server = HttpServer(app, request_timeout=1)
    server.start()
    try:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            end = time.monotonic() + 20
            while not app.closed.wait(0.05) and time.monotonic() < end:
                connection.recv(1)
            assert app.closed.is_set()
    finally:
        server.stop()


def test_the_rest_of_a_refused_body_does_not_cost_the_client_its_answer(server):
    """A client that sends at full speed reads why it was refused, whatever the size."""
    for size in (10, 1_000_000, 20_000_000):
        with connect(server.port) as connection:
            head = f"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n"
            connection.sendall(head.encode() + bytes(size))
            assert answer(connection) == (401, b"who are you")


# -- how long a connection stays ----------------------------------------------------------


@pytest.mark.parametrize("seconds", [1, 2])
def test_a_connection_stays_as_long_as_the_client_is_told(app, seconds):
    server = HttpServer(app, keep_alive=seconds)
    server.start()
    try:
        with connect(server.port, timeout=20) as connection:
            began = time.monotonic()  # the server counts from its answer, which may have come before it is read
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            head = connection.recv(65536)
            assert f"\r\nConnection: keep-alive\r\nKeep-Alive: timeout={seconds}\r\n".encode() in head
            assert connection.recv(10) == b""
            assert time.monotonic() - began >= seconds
    finally:
        server.stop()


def test_a_request_that_comes_while_the_server_looks_at_the_clock_is_answered(app, monkeypatch):
    server = HttpServer(app, request_timeout=SLOW, keep_alive=60)
    server.start()
    try:
        with connect(server.port) as connection:
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(65536)

            def clock():
                monkeypatch.undo()
                connection.sendall(b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")
                return time.monotonic() + 100

            monkeypatch.setattr(wire, "time", SimpleNamespace(monotonic=clock))
            assert answer(connection)[0] == 200
    finally:
        server.stop()


@pytest.mark.parametrize("header", ["close, TE", "TE,close", "Keep-Alive, CLOSE", " close "])
def test_one_of_several_connection_options(server, header):
    with connect(server.port) as connection:
        connection.sendall(f"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: {header}\r\n\r\n".encode())
        assert b"\r\nConnection: close\r\n" in read_to_the_end(connection)


@pytest.mark.parametrize("body", [b"zz\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"1\nx\r\n0\r\n\r\n"])
def test_after_broken_chunks_the_client_is_told_that_the_connection_ends(body):
    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OrthancError:
            start_response("400 Bad Request", [])
        return [b"no"]

    server = HttpServer(application)
    server.start()
    try:
        with connect(server.port) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
            received = read_to_the_end(connection)
            assert received.startswith(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")
    finally:
        server.stop()


# -- places -------------------------------------------------------------------------------


def test_one_address_does_not_take_all_places(app):
    server = HttpServer(app, connections_of_address=2)
    server.start()
    waiting = [connect(server.port) for _ in range(2)]
    try:
        for connection in waiting:  # at work: not to be put out
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            assert app.waits.wait(10)
            app.waits.clear()
        assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n") == (503, b"")
        with socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0)) as other:
            other.settimeout(10)
            other.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer(other)[0] == 204
        app.go_on.set()
        for connection in waiting:
            assert answer(connection) == (200, b"waited")
        # Now they are idle, and one leaves for another.
        assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
    finally:
        for connection in waiting:
            connection.close()
        server.stop()


def test_a_hundred_connections_at_work_disturb_nobody(app):
    server = HttpServer(app, connections_of_address=512)
    server.start()
    waiting = [connect(server.port) for _ in range(100)]
    try:
        for connection in waiting:
            connection.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        assert exchange(server.port, b"GET /environment HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 200
        app.go_on.set()
        for connection in waiting:
            assert answer(connection) == (200, b"waited")
    finally:
        for connection in waiting:
            connection.close()
        server.stop()


# -- IPv6 ---------------------------------------------------------------------------------


def test_two_addresses(app):
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    server = HttpServer(app, addresses=("127.0.0.1", "::1"))
    server.start()
    try:
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, server.port), timeout=10) as connection:
                connection.sendall(b"GET /remote HTTP/1.1\r\nHost: a\r\n\r\n")
                assert answer(connection) == (200, address.encode())
    finally:
        server.stop()


@pytest.mark.parametrize("address", ["192.0.2.1", "localhost", "::2:3", ""])
def test_an_address_that_is_none_of_this_machine(app, address):
    with pytest.raises(OrthancError) as refused:
        HttpServer(app, addresses=("127.0.0.1", address))
    assert refused.value.code == 2003
