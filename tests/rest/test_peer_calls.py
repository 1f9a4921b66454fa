"""What becomes of a call to a peer that answers oddly; as at the real Orthanc."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

import orthanc_lab
from orthanc_lab.peers.client import PeerClient
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.peers.peer import Peer, read_peer
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.testing.real import RealOrthanc
from tests.programs import program
from tests.rest.test_peers import Caller, refused
from tests.rest.test_peers_setup import Certificates

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = (b"-1\r\n{}", b"+2\r\n{}\r\n0\r\n\r\n", b"f" * 40 + b"\r\n{}", b"xyz\r\n{}", b"2\r\n{}XX0\r\n\r\n")


def moved(location: str) -> bytes:
    """Return an answer that leads elsewhere."""
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return head.encode()


class Scripted:
    """A server that takes what comes on a connection and sends the answers of a script; then it closes it."""

    def __init__(self, *answers: bytes, reset: bool = False, eager: bool = False) -> None:
        self.answers = list(answers)
        self.reset = reset  # the connection, in place of closing it
        self.eager = eager  # to answer before the body has come
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                with connection, contextlib.suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        for answer in self.answers:
            if not self._take(connection):
                return
            connection.sendall(answer)
        if self.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _take(self, connection: socket.socket) -> bool:
        taken = b""
        while b"\r\n\r\n" not in taken:
            more = connection.recv(1 << 16)
            if not more:
                return False
            taken += more
        head, _, body = taken.partition(b"\r\n\r\n")
        self.heads.append(head.decode())
        named = re.search(r"Content-Length: (\d+)", self.heads[-1])
        length = int(named[1]) if named else 0
        while len(body) < length and not self.eager:
            body += connection.recv(1 << 16)
        self.bodies.append(body)
        return True


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def call(request: pytest.FixtureRequest) -> Iterator[Caller]:
    if request.param == "ours":
        with orthanc_lab.serve() as server:
            yield Caller(server.url)
    else:
        request.getfixturevalue("real_program")
        with RealOrthanc() as real:
            yield Caller(real.url, is_real=True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "Server returned nothing (no headers, no data)"),
        (b"hello\r\n\r\n", "Unsupported protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "Transferred a partial file"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "Transferred a partial file"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nab", "Weird server reply"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}", "Weird server reply"),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "Weird server reply"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "Weird server reply"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "Unrecognized or bad HTTP Content or Transfer-Encoding",
        ),
        *((CHUNKED + rest, "Failure when receiving data from the peer") for rest in BAD_CHUNKS),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", "Transferred a partial file"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "Server returned nothing (no headers, no data)"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 6000 + b"\r\n", "A value or data field grew larger than allowed"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000, "A value or data field grew larger than allowed"),
        (moved("/system"), "Number of redirects hit maximum amount"),
        (moved("/with a space"), "Number of redirects hit maximum amount"),
        (moved("file:///etc/passwd"), "Unsupported protocol"),
        (moved("http://[::1/"), "URL using bad/illegal format or missing URL"),
        (moved("http://localhost:port/"), "URL using bad/illegal format or missing URL"),
    ],
)
def test_broken_answers(call: Caller, answer: bytes, words: str) -> None:
    with Scripted(answer) as peer:
        call("PUT", "/peers/p", [peer.url])
        details = f"libCURL error: {words} while accessing {peer.url}"
        assert refused(call("GET", "/peers/p/system")) == (500, 9, f"{details}system")
        assert refused(call("POST", "/peers/p/store-straight", b"x")) == (500, 9, f"{details}instances")


def test_a_reset(call: Caller) -> None:
    with Scripted(b"", reset=True) as peer:
        call("PUT", "/peers/p", [peer.url])
        details = f"libCURL error: Failure when receiving data from the peer while accessing {peer.url}system"
        assert refused(call("GET", "/peers/p/system")) == (500, 9, details)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + CLOSING,
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + CLOSING,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CLOSING,
        CLOSING.replace(b"\r\n\r\n", b"\r\n" + b"X: a\r\n" * 200 + b"\r\n"),
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    ],
)
def test_unusual_answers(call: Caller, answer: bytes) -> None:
    with Scripted(answer) as peer:
        call("PUT", "/peers/p", [peer.url])
        assert call("GET", "/peers/p/system").json() == {}
        assert call("POST", "/peers/p/store-straight", b"x").json() == {}


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:1/a b"])
def test_addresses_that_are_none(call: Caller, url: str) -> None:
    call("PUT", "/peers/p", [url])
    details = f"libCURL error: URL using bad/illegal format or missing URL while accessing {url}/system"
    assert refused(call("GET", "/peers/p/system")) == (500, 9, details)


def test_the_user_of_an_address(call: Caller) -> None:
    with Scripted(CLOSING) as peer:
        call("PUT", "/peers/p", [peer.url.replace("//", "//u:p%40@")])
        assert call("GET", "/peers/p/system").json() == {}
    assert "Authorization: Basic dTpwQA==" in peer.heads[0]


@pytest.mark.parametrize(("status", "verb"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_what_a_redirection_makes_of_an_upload(call: Caller, status: int, verb: str) -> None:
    with Scripted(CLOSING) as last:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {last.url}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        with Scripted(moved.encode()) as first:
            call("PUT", "/peers/p", [first.url])
            assert call("POST", "/peers/p/store-straight", b"dicom").json() == {}
    assert last.heads[0].startswith(f"{verb} /x HTTP/1.1")
    assert last.bodies[0] == (b"dicom" if verb == "POST" else b"")


def test_a_refusal_before_all_was_sent(call: Caller) -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with Scripted(refusal, eager=True) as peer:
        call("PUT", "/peers/p", [peer.url])
        assert refused(call("POST", "/peers/p/store-straight", bytes(100)))[:2] == (500, 9)


def client_of(peer: Peer, **options: object) -> PeerClient:
    return PeerClient(peer, HttpOptions(**options), SystemClock())  # type: ignore[arg-type]


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with Scripted(OK) as peer, client_of(read_peer([peer.url])) as client:
        for _ in range(3):
            assert client.post("instances", b"x").body == b"{}"
        assert (peer.connections, len(peer.heads)) == (3, 3)


def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    with Scripted(b"") as peer, client_of(read_peer([peer.url])) as client:
        with pytest.raises(OrthancError, match="Server returned nothing"):
            client.post("instances", b"x")
        assert peer.connections == 1


def test_an_answer_that_comes_byte_by_byte_ends_with_the_timeout() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    ended = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            while not ended.wait(0.02):
                connection.sendall(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    with server, client_of(read_peer({"Url": url, "Timeout": 1})) as client:
        with pytest.raises(OrthancError) as raised:
            client.get("system")
        ended.set()
        thread.join()
    assert raised.value.details == f"libCURL error: Timeout was reached while accessing {url}system"


def test_an_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(100_000)
    with (
        Scripted(answer) as peer,
        client_of(read_peer([peer.url])) as client,
        pytest.raises(OrthancError, match="Failure when receiving"),
    ):
        client.call("GET", "/", longest=50_000)


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED + b"-1\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_what_has_no_end_is_not_kept(said: bytes) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    taken = []

    def flood() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(said)
            for _ in range(2000):
                connection.sendall(said if b"100" in said else bytes(50_000))
                taken.append(True)

    thread = threading.Thread(target=flood)
    thread.start()
    with server, client_of(read_peer([f"http://127.0.0.1:{server.getsockname()[1]}"])) as client:
        with pytest.raises(OrthancError, match="libCURL error"):
            client.call("GET", "/", longest=1_000_000)
        thread.join(20)
    assert len(taken) < 2000 or b"100" in said


@pytest.mark.parametrize("more", [OK, b"x", b"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n"])
@pytest.mark.parametrize("is_late", [False, True])
def test_what_comes_unasked_is_no_answer_to_the_next_request(more: bytes, is_late: bool) -> None:
    """Else a peer that says more than it was asked would seem to have taken what it never got."""
    answered, told = threading.Event(), threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        first, _ = server.accept()
        with first:
            first.recv(1 << 16)
            first.sendall(OK if is_late else OK + more)
            answered.wait(20)
            if is_late:
                first.sendall(more)
            told.set()
            second, _ = server.accept()
            with second:
                second.recv(1 << 16)
                second.sendall(OK.replace(b"{}", b"[]"))

    thread = threading.Thread(target=talk)
    thread.start()
    with server, client_of(read_peer([f"http://127.0.0.1:{server.getsockname()[1]}"])) as client:
        assert client.post("instances", b"x").body == b"{}"
        answered.set()
        assert told.wait(20)
        assert client.post("instances", b"y").body == b"[]"
        thread.join(20)


def test_a_header_that_would_be_two_is_not_sent() -> None:
    peer = read_peer({"Url": "http://127.0.0.1:1", "HttpHeaders": {"A": "b\r\nC: d"}})
    with client_of(peer) as client, pytest.raises(OrthancError, match="bad argument"):
        client.get("system")


def forward(
    server: socket.socket, target: tuple[str, int], heads: list[str], wrap: Callable[..., socket.socket]
) -> None:
    """Be a proxy for one connection of CONNECT."""
    accepted, _ = server.accept()
    with wrap(accepted) as near:
        head = b""
        while b"\r\n\r\n" not in head:
            head += near.recv(1)
        heads.append(head.decode())
        near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(target) as far:
            back = threading.Thread(target=_copy, args=(far, near))
            back.start()
            _copy(near, far)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
    with contextlib.suppress(OSError):
        socket.socket.shutdown(target, socket.SHUT_WR)


def test_a_proxy_is_asked_for_whole_addresses() -> None:
    with Scripted(OK) as proxy:
        address = proxy.url.replace("//", "//user:pass@")
        with client_of(read_peer(["http://far.example/orthanc"]), proxy=address) as client:
            assert client.get("system").ok
    assert proxy.heads[0].startswith("GET http://far.example/orthanc/system HTTP/1.1\r\nHost: far.example\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.heads[0]


@pytest.mark.parametrize("proxy", ["http://nonexistent.invalid:3128", "http://127.0.0.1:1"])
def test_a_proxy_that_is_not_there(proxy: str) -> None:
    words = "Could not resolve proxy name" if "invalid" in proxy else "Could not connect to server"
    peer = read_peer(["http://far.example"])
    with client_of(peer, proxy=proxy) as client, pytest.raises(OrthancError, match=words):
        client.get("system")


@pytest.mark.parametrize("encrypted", [False, True])
def test_https_through_a_proxy(tmp_path_factory: pytest.TempPathFactory, encrypted: bool) -> None:
    certificates = Certificates(tmp_path_factory.mktemp("certificates"), program("openssl"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)
    heads: list[str] = []
    with (
        socket.create_server(("127.0.0.1", 0)) as proxy,
        orthanc_lab.serve(SslEnabled=True, SslCertificate=str(certificates.server)) as remote,
    ):
        port = int(remote.url.rpartition(":")[2])
        wrap = (lambda accepted: context.wrap_socket(accepted, server_side=True)) if encrypted else (lambda it: it)
        thread = threading.Thread(target=forward, args=(proxy, ("127.0.0.1", port), heads, wrap))
        thread.start()
        address = f"{'https' if encrypted else 'http'}://127.0.0.1:{proxy.getsockname()[1]}"
        trusting = str(certificates.server)
        with client_of(read_peer([remote.url]), proxy=address, ca_certificates=trusting) as client:
            assert client.get("system").ok
            assert client.get("system").ok  # over the same tunnel
        thread.join(20)
    assert heads == [f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"]
