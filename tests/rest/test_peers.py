"""``/peers``: the same calls to our server and to the real Orthanc, with a peer that notes what it gets."""

from __future__ import annotations

import gzip
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.waiting import until

CT = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
MR = Path(str(get_testdata_file("MR_small.dcm"))).read_bytes()
CT_INSTANCE = "f689ddd2-662f8fe1-8b18180d-ec2a2cee-937917af"
CT_STUDY = "8a8cf898-ca27c490-d0c7058c-929d0581-2bbf104d"
NOBODY = "00000000-00000000-00000000-00000000-00000000"
UNUSED = "http://127.0.0.1:1/"


class Peer:
    """An HTTP server that notes each request, and answers as its path says: ``/s404/…`` with 404."""

    def __init__(self) -> None:
        peer = self
        self.requests: list[tuple[str, str, dict[str, str], bytes, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                peer.requests.append((self.command, self.path, headers, body, self.client_address[1]))
                peer.arrived.release()
                peer.gate.wait(20)
                status = re.match(r"/s(\d+)/", self.path)
                answer = b'{"Status": "Success", "Answer": 1}'
                self.send_response(int(status[1]) if status else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

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


class Caller:
    """A server with two instances, called over HTTP."""

    def __init__(self, url: str, *, is_real: bool = False) -> None:
        self.url = url
        self.is_real = is_real
        self.session = requests.Session()
        for dicom in (CT, MR):
            self.session.post(f"{url}/instances", data=dicom, timeout=30).raise_for_status()

    def __call__(self, verb: str, path: str, body: Any = None) -> requests.Response:
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        return self.session.request(verb, self.url + path, data=data, timeout=30)


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def call(request: pytest.FixtureRequest) -> Iterator[Caller]:
    options: dict[str, Any] = {"OrthancPeers": {"configured": [UNUSED]}, "ConcurrentJobs": 2, "HttpTimeout": 20}
    options["KeepAliveTimeout"] = 60  # a pause of a busy machine closes no connection just when it is used again
    if request.param == "ours":
        with orthanc_lab.serve(**options) as ours:
            yield Caller(ours.url)
            assert ours.errors == []
    else:
        request.getfixturevalue("real_program")
        with RealOrthanc(**options) as real:
            yield Caller(real.url, is_real=True)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


def refused(answer: requests.Response) -> tuple[int, int, str]:
    document = answer.json()
    return answer.status_code, document["OrthancStatus"], document.get("Details", "")


def is_bare(answer: requests.Response, status: int) -> bool:
    return (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (status, b"", None)


def test_list(call: Caller) -> None:
    assert call("GET", "/peers").json() == ["configured"]
    plain = {"HttpHeaders": [], "Pkcs11": False, "Timeout": 0, "Url": UNUSED}
    assert call("GET", "/peers?expand").json() == {"configured": plain}
    assert call("GET", "/peers/configured").json() == ["configuration", "store", "store-straight", "system"]
    assert call("GET", "/peers/configured/configuration").json() == plain


def test_unknown(call: Caller) -> None:
    assert is_bare(call("GET", "/peers/zz"), 404)
    unknown = (404, 17, "No peer with symbolic name: zz")
    assert refused(call("GET", "/peers/zz/configuration")) == unknown
    assert refused(call("GET", "/peers/zz/system")) == unknown
    assert refused(call("POST", "/peers/zz/store", CT_STUDY)) == unknown
    assert refused(call("POST", "/peers/zz/store-straight", b"x")) == unknown
    assert refused(call("DELETE", "/peers/zz")) == (404, 7, "Unknown Orthanc peer: zz")


SIMPLE = {"HttpHeaders": [], "Pkcs11": False, "Timeout": 0, "Url": "http://a/"}


@pytest.mark.parametrize(
    ("definition", "shown"),
    [
        (["http://a"], SIMPLE),
        (["http://a", "", ""], SIMPLE),
        (["http://a", None, None], SIMPLE),
        (["http://a", "u", "p"], {**SIMPLE, "Username": "u", "Password": None}),
        (["http://a", 1, 2], {**SIMPLE, "Username": "1", "Password": None}),
        (["a"], {**SIMPLE, "Url": "a/"}),
        ([1], {**SIMPLE, "Url": "1/"}),
        ([True], {**SIMPLE, "Url": "true/"}),
        ({"Url": "https://a/b?c"}, {**SIMPLE, "Url": "https://a/b?c/"}),
        ({"URL": "http://a"}, SIMPLE),
        ({"Url": "http://a", "Username": "u"}, {**SIMPLE, "Username": "u", "Password": None}),
        ({"Url": "http://a", "HttpHeaders": {"Z": "1", "B": "2"}}, {**SIMPLE, "HttpHeaders": ["B", "Z"]}),
        ({"Url": "http://a", "Timeout": 3, "Pkcs11": True}, {**SIMPLE, "Timeout": 3, "Pkcs11": True}),
        ({"Url": "http://a", "Foo": "bar", "Baz": 1, "d": True}, {**SIMPLE, "Foo": "bar", "Baz": "1", "d": "1"}),
        (
            {"Url": "http://a", "CertificateFile": __file__, "CertificateKeyFile": __file__},
            {**SIMPLE, "CertificateFile": __file__, "CertificateKeyFile": None, "CertificateKeyPassword": None},
        ),
        ({"Url": "http://a", "CertificateKeyFile": "/nope"}, SIMPLE),
    ],
)
def test_define(call: Caller, definition: Any, shown: Any) -> None:
    answer = call("PUT", "/peers/t-1_A", definition)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"", "text/plain")
    assert call("GET", "/peers/t-1_A/configuration").json() == shown
    assert call("GET", "/peers?expand").json()["t-1_A"] == shown
    assert call("DELETE", "/peers/t-1_A").status_code == 200
    assert call("GET", "/peers").json() == ["configured"]


@pytest.mark.parametrize(
    ("definition", "error"),
    [
        ([], (400, 15, "")),
        (["http://a", "u"], (400, 15, "")),
        (["http://a", "u", "p", "x"], (400, 15, "")),
        (["http://a", "", "p"], (400, 15, "")),
        ([""], (400, 15, "Empty URL")),
        ([None], (400, 15, "Empty URL")),
        ([{}], (400, 15, "")),
        ({}, (400, 15, "Empty URL")),
        ({"url": "http://a"}, (400, 15, "Empty URL")),
        ("null", (400, 15, "")),
        ('"x"', (400, 15, "")),
        (["ftp://a"], (400, 15, "Bad URL: ftp://a")),
        (["HTTP://a"], (400, 15, "Bad URL: HTTP://a")),
        ({"Url": 1}, (400, 15, "")),
        ({"Url": "http://a", "Password": "p"}, (400, 15, "")),
        ({"Url": "http://a", "Username": 1}, (400, 15, "")),
        ({"Url": "http://a", "Timeout": -1}, (400, 15, "Unsigned integer value expected in field: Timeout")),
        ({"Url": "http://a", "Timeout": "3"}, (400, 15, "Integer value expected in field: Timeout")),
        ({"Url": "http://a", "Timeout": 1.5}, (400, 15, "Integer value expected in field: Timeout")),
        ({"Url": "http://a", "Timeout": 5000000000}, (400, 15, "")),
        ({"Url": "http://a", "HttpHeaders": []}, (400, 15, "")),
        ({"Url": "http://a", "HttpHeaders": {"A": 1}}, (400, 15, "")),
        ({"Url": "http://a", "Pkcs11": 1}, (400, 15, "")),
        ({"Url": "http://a", "CertificateFile": 1}, (400, 15, "")),
        ({"Url": "http://a", "CertificateFile": "/nope"}, (404, 13, "Cannot open certificate file: /nope")),
        (
            {"Url": "http://a", "CertificateFile": __file__, "CertificateKeyFile": "/nope"},
            (404, 13, "Cannot open key file: /nope"),
        ),
        *(
            (
                {"Url": "http://a", "Foo": value},
                (400, 15, "User-defined properties associated with a Web service must be strings: Foo"),
            )
            for value in (None, 1.5, [], {})
        ),
    ],
)
def test_bad_definitions(call: Caller, definition: Any, error: tuple[int, int, str]) -> None:
    assert refused(call("PUT", "/peers/t1", definition)) == error
    assert call("GET", "/peers").json() == ["configured"]


@pytest.mark.parametrize("body", ["", "zz", "{"])
def test_define_without_json(call: Caller, body: str) -> None:
    assert is_bare(call("PUT", "/peers/t1", body), 404)


@pytest.mark.parametrize(("path", "name"), [("a.b", "a.b"), ("a%20b", "a b"), ("%C3%A9", "é")])
def test_bad_names(call: Caller, path: str, name: str) -> None:
    text = (
        "Only alphanumeric, dash characters and underscores are allowed in the names of modalities/peers, but found: "
    )
    assert refused(call("PUT", f"/peers/{path}", ["http://a"])) == (400, 15, text + name)


def test_store(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [peer.url, "us", "pä"])
    answer = call("POST", "/peers/p/store", [CT_STUDY, CT_INSTANCE, CT_INSTANCE])
    assert answer.json() == {
        "Compress": False,
        "Description": "REST API",
        "FailedInstancesCount": 0,
        "InstancesCount": 3,
        "ParentResources": [CT_STUDY, CT_INSTANCE],
        "Peer": [peer.url, "us", ""],
        "Size": str(3 * len(CT)),
        "SizeMB": 0,
    }
    assert [(verb, path, body) for verb, path, _, body, _ in peer.requests] == [("POST", "/instances", CT)] * 3
    assert len({port for *_, port in peer.requests}) == 1  # one connection
    assert peer.requests[0][2]["authorization"] == "Basic dXM6cMOk"
    assert "content-encoding" not in peer.requests[0][2]


@pytest.mark.parametrize(
    "body",
    [CT_STUDY, f" {CT_STUDY}\n", f'"{CT_STUDY}"', f'" {CT_STUDY}"', [CT_STUDY], {"Resources": [CT_STUDY]}],
)
def test_forms_of_the_body(call: Caller, peer: Peer, body: Any) -> None:
    call("PUT", "/peers/p", [peer.url])
    content = call("POST", "/peers/p/store", body).json()
    assert (content["InstancesCount"], content["ParentResources"], content["Peer"]) == (1, [CT_STUDY], [peer.url])
    assert [body for *_, body, _ in peer.requests] == [CT]


def test_nothing_to_send(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [peer.url])
    for body in ([], {"Resources": []}):
        content = call("POST", "/peers/p/store", body).json()
        assert (content["InstancesCount"], content["Size"]) == (0, "0")
        assert "ParentResources" not in content
    assert peer.requests == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", (400, 15, "Must provide a JSON value")),
        ("nope", (400, 15, "Must provide a JSON value")),
        ('"nope"', (400, 15, "This string is not a valid Orthanc identifier: nope")),
        (["nope"], (400, 15, "This string is not a valid Orthanc identifier: nope")),
        (NOBODY, (404, 17, "")),
        ([CT_STUDY, NOBODY], (404, 17, "")),
        (CT_STUDY.upper(), (404, 17, "")),
        ({}, (400, 15, 'Missing field in JSON: "Resources"')),
        ({"resources": [CT_STUDY]}, (400, 15, 'Missing field in JSON: "Resources"')),
        ({"Resources": CT_STUDY}, (400, 15, 'JSON field "Resources" must contain an array')),
        ({"Resources": None}, (400, 15, 'JSON field "Resources" must contain an array')),
        ([1], (400, 15, "Resources to be exported must be specified as a JSON array of strings")),
        ("null", (400, 15, "Must provide a JSON object, or a JSON array of strings")),
        ("1", (400, 15, "Must provide a JSON object, or a JSON array of strings")),
        ({"Resources": [CT_STUDY], "Compress": 1}, (400, 15, "Boolean value expected in field: Compress")),
        ({"Resources": [CT_STUDY], "Transcode": 1}, (400, 15, "String value expected in field: Transcode")),
        ({"Resources": [CT_STUDY], "Transcode": "nope"}, (400, 15, "Unknown transfer syntax UID: nope")),
        ({"Resources": [CT_STUDY], "Permissive": 1}, (400, 15, "Boolean value expected in field: Permissive")),
        ({"Resources": [CT_STUDY], "Priority": "x"}, (400, 15, "Integer value expected in field: Priority")),
    ],
)
def test_bad_bodies(call: Caller, body: Any, error: tuple[int, int, str]) -> None:
    assert refused(call("POST", "/peers/configured/store", body)) == error


def test_compressed(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [peer.url])
    content = call("POST", "/peers/p/store", {"Resources": [CT_INSTANCE], "Compress": True}).json()
    ((_, _, headers, body, _),) = peer.requests
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == CT
    assert (content["Compress"], content["Size"]) == (True, str(len(body)))


def test_all_of_a_definition(call: Caller, peer: Peer) -> None:
    call(
        "PUT", "/peers/p", {"Url": peer.url, "HttpHeaders": {"X-Token": "t"}, "Timeout": 5, "Username": "u", "My": "x"}
    )
    content = call("POST", "/peers/p/store", CT_INSTANCE).json()
    assert content["Peer"] == {
        "HttpHeaders": {"X-Token": "t" if call.is_real else ""},
        "My": "x",
        "Pkcs11": False,
        "Timeout": 5,
        "Url": peer.url,
        "Username": "u",
    }
    assert peer.requests[0][2]["x-token"] == "t"


def test_a_redirection_to_another_server_gets_no_secrets(call: Caller, peer: Peer) -> None:
    with redirecting_to(peer.url) as url:
        call("PUT", "/peers/p", {"Url": url, "HttpHeaders": {"X-Token": "t"}, "Username": "u", "Password": "p"})
        answer = call("GET", "/peers/p/system")
    assert (answer.status_code, len(peer.requests)) == (200, 1)
    assert "authorization" not in peer.requests[0][2]
    assert ("x-token" in peer.requests[0][2]) == call.is_real


@contextmanager
def redirecting_to(url: str) -> Iterator[str]:
    """Run a server that redirects all requests to another one; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", url + "system")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_nobody_there(call: Caller) -> None:
    details = f"libCURL error: Could not connect to server while accessing {UNUSED}"
    assert refused(call("POST", "/peers/configured/store", CT_STUDY)) == (500, 9, details + "instances")
    assert refused(call("POST", "/peers/configured/store-straight", b"x")) == (500, 9, details + "instances")
    assert refused(call("GET", "/peers/configured/system")) == (500, 9, details + "system")


def test_names_that_cannot_be_resolved(call: Caller) -> None:
    call("PUT", "/peers/p", ["http://nonexistent.invalid/"])
    details = "libCURL error: Could not resolve hostname while accessing http://nonexistent.invalid/system"
    assert refused(call("GET", "/peers/p/system")) == (500, 9, details)


def test_https_where_there_is_none(call: Caller, peer: Peer) -> None:
    url = peer.url.replace("http:", "https:")
    call("PUT", "/peers/p", [url])
    details = f"libCURL error: SSL connect error while accessing {url}system"
    assert refused(call("GET", "/peers/p/system")) == (500, 9, details)
    call("PUT", "/peers/p", {"Url": url, "CertificateFile": __file__})
    details = f"libCURL error: Problem with the local SSL certificate while accessing {url}system"
    assert refused(call("GET", "/peers/p/system")) == (500, 9, details)
    call("PUT", "/peers/p", {"Url": url, "Pkcs11": True})
    details = "This version of Orthanc is compiled without support for PKCS#11"
    assert refused(call("GET", "/peers/p/system")) == (500, -1, details)


def test_a_peer_that_does_not_answer(call: Caller, peer: Peer) -> None:
    peer.gate.clear()
    call("PUT", "/peers/p", {"Url": peer.url, "Timeout": 1})
    details = f"libCURL error: Timeout was reached while accessing {peer.url}"
    assert refused(call("GET", "/peers/p/system")) == (500, 9, f"{details}system")


def test_system(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [peer.url])
    answer = call("GET", "/peers/p/system")
    assert answer.text == '{"Status": "Success", "Answer": 1}'
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [200, 201, 400, 403, 415, 500, 401, 404, 409, 502, 503, 507, 429])
def test_statuses_of_the_peer(call: Caller, peer: Peer, status: int) -> None:
    call("PUT", "/peers/p", [f"{peer.url}s{status}"])
    system = call("GET", "/peers/p/system")
    store = call("POST", "/peers/p/store", CT_STUDY)
    straight = call("POST", "/peers/p/store-straight", b"x")
    if status < 300:
        assert (system.status_code, store.status_code) == (200, 200)
        assert straight.json() == {"Answer": 1, "Status": "Success"}
        return
    if status in (400, 403, 415, 500):
        assert is_bare(system, status)
    else:
        assert refused(system) == ((400, 3, "") if status == 429 else (500, 2005, ""))
    assert refused(store) == ((400, 3, "") if status == 429 else (500, 9, ""))
    assert refused(straight)[1] == (3 if status == 429 else 9)


def test_permissive(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [f"{peer.url}s500"])
    content = call("POST", "/peers/p/store", {"Resources": [CT_STUDY, CT_STUDY], "Permissive": True}).json()
    assert (content["FailedInstancesCount"], content["InstancesCount"]) == (0, 2)
    assert len(peer.requests) == 2


@pytest.mark.parametrize("permissive", [False, True])
def test_an_instance_vanishes(call: Caller, peer: Peer, permissive: bool) -> None:
    instance = call("POST", "/instances", MR).json()["ID"]
    peer.gate.clear()
    call("PUT", "/peers/p", [peer.url])
    body = {"Resources": [CT_STUDY, instance, CT_STUDY], "Permissive": permissive, "Asynchronous": True}
    job = call("POST", "/peers/p/store", body).json()["ID"]
    assert peer.arrived.acquire(timeout=20)
    call("DELETE", f"/instances/{instance}")
    assert call("GET", f"/jobs/{job}").json()["Content"]["Size"] == "0"  # nothing is done yet
    peer.gate.set()
    ended = wait_for_end(call, job)
    assert ended["Content"]["FailedInstancesCount"] == 1
    if permissive:
        assert (ended["State"], ended["Progress"], len(peer.requests)) == ("Success", 100, 2)
    else:
        assert (ended["State"], ended["Progress"], ended["ErrorCode"]) == ("Failure", 33, -1)
        assert ended["ErrorDetails"] == ""


def test_pause_drops_the_connection_and_resume_goes_on(call: Caller, peer: Peer) -> None:
    peer.gate.clear()
    call("PUT", "/peers/p", [peer.url])
    body = {"Resources": [CT_STUDY, CT_INSTANCE, CT_STUDY], "Asynchronous": True}
    job = call("POST", "/peers/p/store", body).json()["ID"]
    assert peer.arrived.acquire(timeout=20)
    call("POST", f"/jobs/{job}/pause")
    peer.gate.set()
    paused = wait_for_end(call, job)
    assert (paused["State"], paused["Progress"]) == ("Paused", 33)
    call("POST", f"/jobs/{job}/resume")
    assert wait_for_end(call, job)["State"] == "Success"
    assert len(peer.requests) == 3
    assert len({port for *_, port in peer.requests}) == 2


def test_resubmit_sends_all_again(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [f"{peer.url}s500"])
    body = {"Resources": [CT_STUDY], "Asynchronous": True}
    job = call("POST", "/peers/p/store", body).json()["ID"]
    failed = wait_for_end(call, job)
    assert (failed["Type"], failed["ErrorCode"]) == ("OrthancPeerStore", 9)
    assert call("POST", f"/jobs/{job}/resubmit").status_code == 200
    assert wait_for_end(call, job)["CreationTime"] == failed["CreationTime"]
    assert len(peer.requests) == 2


def test_to_itself(call: Caller) -> None:
    call("PUT", "/peers/self", [call.url])
    assert call("GET", "/peers/self/system").json() == call("GET", "/system").json()
    answer = call("POST", "/peers/self/store-straight", CT)
    assert answer.json() == call("POST", "/instances", CT).json()
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    details = "Cannot send DICOM to remote peer: self"
    assert refused(call("POST", "/peers/self/store-straight", b"x")) == (500, 9, details)


def wait_for_end(call: Caller, job: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}

    def ended() -> bool:
        shown.update(call("GET", f"/jobs/{job}").json())
        return shown["State"] in ("Success", "Failure", "Paused")

    until(ended, what=lambda: shown)
    return shown


@pytest.fixture(autouse=True)
def only_the_configured_peer(call: Caller) -> Iterator[None]:
    yield
    for name in ("p", "self", "t1", "t-1_A"):
        call("DELETE", f"/peers/{name}")


def test_transcode(call: Caller, peer: Peer) -> None:
    call("PUT", "/peers/p", [peer.url])
    body = {"Resources": [CT_INSTANCE], "Transcode": "1.2.840.10008.1.2"}
    content = call("POST", "/peers/p/store", body).json()
    ((*_, sent, _),) = peer.requests
    assert (content["Transcode"], content["Size"]) == ("1.2.840.10008.1.2", str(len(sent)))
    assert b"1.2.840.10008.1.2\0" in sent[:500]
    assert abs(len(sent) - len(CT)) < 100
    call("POST", "/peers/p/store", {"Resources": [CT_INSTANCE], "Transcode": "1.2.840.10008.1.2.4.50"})
    assert peer.requests[-1][3] == CT  # 16 bits cannot become baseline JPEG: sent as it is


def test_instances_that_are_listed_too_often_are_refused() -> None:
    """A list takes memory for what it names; the same names again and again take it for nothing."""
    with orthanc_lab.in_process() as server:

        def ask(verb: str, path: str, body: Any) -> requests.Response:
            return server.session.request(
                verb, server.url + path, data=body if isinstance(body, bytes) else json.dumps(body)
            )

        id = ask("POST", "/instances", CT).json()["ID"]
        assert ask("PUT", "/peers/one", [UNUSED]).ok
        twice = ask("POST", "/peers/one/store", {"Resources": [id, id], "Asynchronous": True}).json()["ID"]
        assert server.session.get(f"{server.url}/jobs/{twice}").json()["Content"]["InstancesCount"] == 2
        refused = ask("POST", "/peers/one/store", {"Resources": [id] * 100_002, "Asynchronous": True})
        assert (refused.status_code, refused.json()["Details"]) == (
            500,
            "The same resources are listed too often; list each of them once",
        )
