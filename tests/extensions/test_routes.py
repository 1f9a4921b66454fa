"""A function of a user answers requests, by the rules of the server."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import OrthancError, samples
from orthanc_lab.extensions import Answer, Job, Request, Route, route
from tests.extensions.conftest import Asking


def test_what_a_route_is_told(asking: Asking) -> None:
    answer = asking.ask("GET", "/kinds/echo/J%C3%B6/a/b%20c?x=1&y=%C3%A4+b&x=2&z", headers={"X-Test": "7"}).json()
    del answer["Process"]
    assert answer == {
        "Arguments": {"x": "2", "y": "ä b", "z": ""},
        "Fields": {"name": "Jö", "rest": "a/b c"},
        "Header": "7",
        "Uri": "/kinds/echo/Jö/a/b c",
        "User": "",
        "name": "Jö",
        "rest": "a/b c",
    }


def test_an_answer_of_any_form(asking: Asking) -> None:
    answer = asking.ask("POST", "/kinds/sum", json=[1, 2])
    assert (answer.status_code, answer.text, answer.headers["X-Test"]) == (201, "3", "yes")
    assert answer.headers["Content-Type"] == "text/x-sum"
    answer = asking.ask("POST", "/kinds/sum", data=b"[1")
    assert (answer.status_code, answer.json()["OrthancError"]) == (400, "Cannot parse a JSON document")
    answer = asking.ask("GET", "/kinds/sum")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert asking.ask("GET", "/kinds").status_code == 404


def test_it_is_told_of_in_plugins(asking: Asking) -> None:
    assert asking.get("/plugins") == ["explorer.js", "kinds", "transfers"]
    described = {"Description": "For tests", "ExtendsOrthancExplorer": False, "ID": "kinds", "Version": "1.2"}
    assert asking.get("/plugins/kinds") == described
    assert asking.ask("GET", "/plugins/other").status_code == 404


RETURNED: list[Any] = []


@route("GET", "/returned")
def returned(request: Request) -> Any:
    """Return what a test wants."""
    value = RETURNED[-1]
    if isinstance(value, BaseException):
        raise value
    return value(request) if callable(value) else value


@route("GET", "/user")
def user(request: Request) -> str:
    """Return who asks."""
    return request.username


@route("PUT", "/note")
def note(request: Request) -> None:
    """Write a label on all patients."""
    for patient in request.orthanc.get("/patients"):
        request.orthanc.put(f"/patients/{patient}/labels/{request.body.decode()}")


@route("GET", "/mark", writes=True)
def mark(request: Request) -> str:
    """Stand for one that changes something."""
    return "marked"


class Look(Job):
    """Changes nothing."""

    writes = False

    def step(self) -> bool:
        return False


class Change(Job):
    """Changes something."""

    route = "/change"

    def step(self) -> bool:
        return False


@pytest.fixture(scope="module")
def returning() -> Iterator[Asking]:
    with orthanc_lab.in_process(extensions=[returned, note, user, Look, Change]) as server:
        yield Asking(server)
        assert server.errors == []


@pytest.mark.parametrize(
    ("value", "content_type", "body"),
    [
        ({"b": 1, "a": (None, True)}, "application/json; charset=utf-8", b'{\n   "a" : [ null, true ],\n   "b" : 1\n}'),
        ([], "application/json; charset=utf-8", b"[]"),
        (1.5, "application/json; charset=utf-8", b"1.5"),
        ("µ\ud800", "text/plain", b"\xc2\xb5?"),
        (b"\0\xff", "application/octet-stream", b"\0\xff"),
        (None, "text/plain", b""),
        (Answer("µ", "text/html"), "text/html", b"\xc2\xb5"),
    ],
)
def test_what_is_returned_is_the_answer(returning: Asking, value: Any, content_type: str, body: bytes) -> None:
    RETURNED.append(value)
    answer = returning.ask("GET", "/returned")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.content.split() == body.split()


@pytest.mark.parametrize(
    ("value", "status", "code", "details"),
    [
        ({1, 2}, 500, 1, "The answer of GET /returned cannot be written as JSON: it has a set"),
        ({"a": float("inf")}, 500, 1, "The answer of GET /returned cannot be written as JSON: it has the number inf"),
        (ValueError("bad luck"), 500, 1, "ValueError: bad luck"),
        (SystemExit(1), 500, 1, "SystemExit: 1"),
        (GeneratorExit(), 500, 1, "GeneratorExit"),
        (lambda request: 10**4000, 500, 1, "The answer of GET /returned cannot be written as JSON: it has a number of"),
        (OrthancError(46, "There is one"), 409, 46, "There is one"),
        (lambda request: Answer(status=99), 500, 1, "ValueError: 99 is not the HTTP status of an answer"),
        (lambda request: Answer(headers={"A": "b\r\nC: d"}), 500, 1, "ValueError: The header 'A' cannot be sent"),
        (lambda request: Answer(headers={"A b": "c"}), 500, 1, "ValueError: The header 'A b' cannot be sent"),
        (
            lambda request: Answer(headers={"Content-length": "9"}),
            500,
            1,
            "ValueError: The header Content-length is not f",
        ),
        (lambda request: Answer("", "a\nb"), 500, 1, "ValueError: 'a\\nb' is not a media type"),
        (lambda request: Answer(7), 500, 1, "TypeError: The body of an answer must be bytes or str, not int"),
        (lambda request: request.json(), 400, 28, ""),
        (lambda request: request.orthanc.get("patients"), 400, 12, "'patients' must begin with \"/\""),
        (lambda request: request.orthanc.get("/patients/none"), 404, 17, "GET /patients/none answered 404"),
        (lambda request: request.orthanc.delete("/patients"), 405, 8, "DELETE /patients answered 405"),
        (lambda request: request.orthanc.post("/instances", b"no DICOM"), 400, 15, ""),
        (
            lambda request: request.orthanc.post("/tools/find", {"Level": object}),
            500,
            1,
            "The body of a request cannot",
        ),
    ],
)
def test_what_goes_wrong_is_answered(returning: Asking, value: Any, status: int, code: int, details: str) -> None:
    RETURNED.append(value)
    answer = returning.ask("GET", "/returned")
    assert (answer.status_code, answer.json()["OrthancStatus"]) == (status, code)
    assert answer.json().get("Details", "").startswith(details)


def test_an_interrupt_that_is_none_is_answered() -> None:
    """Nobody has pressed Ctrl-C: it is the extension that raises it, on a thread of the server."""
    with orthanc_lab.serve(extensions=[returned]) as server, requests.Session() as session:
        RETURNED.append(KeyboardInterrupt())
        assert session.get(f"{server.url}/returned", timeout=30).status_code == 500
        RETURNED.append("still there")
        assert session.get(f"{server.url}/returned", timeout=30).text == "still there"


def test_an_error_that_is_its_own_cause(returning: Asking) -> None:
    error = OrthancError(8, "in a circle")
    error.__cause__ = error
    RETURNED.append(error)
    assert returning.ask("GET", "/returned").json()["Details"] == "in a circle"


def test_the_server_as_an_extension_sees_it(returning: Asking) -> None:
    def look(request: Request) -> Any:
        orthanc = request.orthanc
        made = orthanc.post("/tools/create-dicom", {"Tags": {"PatientID": "µ"}})["ID"]
        metadata = orthanc.put(f"/instances/{made}/metadata/1024", "a note")
        return {
            "Metadata": metadata,
            "Text": orthanc.get(f"/instances/{made}/metadata/1024"),
            "Size": len(orthanc.read(f"/instances/{made}/file")),
            "Same": orthanc.get(f"/instances/{made}/file") == orthanc.read(f"/instances/{made}/file"),
            "Name": orthanc.get(f"/instances/{made}/metadata/%31024"),
            "Origin": orthanc.get(f"/instances/{made}/metadata/Origin"),
            "Remote": "RemoteIP" in orthanc.get(f"/instances/{made}/metadata"),
            "Found": orthanc.post("/tools/find", {"Level": "Patient", "Query": {}, "Expand": True})[0]["Type"],
            "Job": orthanc.post("/extensions/Look"),
            "Gone": orthanc.delete(f"/instances/{made}"),
        }

    RETURNED.append(look)
    seen = returning.get("/returned")
    assert seen.pop("Size") > 100
    assert seen == {
        "Metadata": "",
        "Text": "a note",
        "Same": True,
        "Name": "a note",
        "Origin": "Plugins",
        "Remote": False,
        "Found": "Patient",
        "Job": {},
        "Gone": {"RemainingAncestor": None},
    }


def test_read_only_leaves_out_what_writes() -> None:
    with orthanc_lab.in_process(extensions=[returned, note, user, Look, Change], ReadOnly=True) as server:
        asking = Asking(server)
        assert asking.ask("PUT", "/note", data=b"x").status_code == 404
        assert asking.ask("POST", "/change", json={}).status_code == 404
        assert asking.ask("POST", "/extensions/Look", json={}).status_code == 200
        RETURNED.append(lambda request: request.orthanc.post("/tools/create-dicom", {"Tags": {}}))
        answer = asking.ask("GET", "/returned")
        assert answer.status_code >= 400
        assert asking.get("/instances") == []


def test_passwords_hold_for_its_routes() -> None:
    options: dict[str, Any] = {"AuthenticationEnabled": True, "RegisteredUsers": {"jane": "secret"}}
    with orthanc_lab.in_process(options, extensions=[user, note, Look]) as server:
        asking = Asking(server)
        assert asking.ask("GET", "/user").text == "jane"
        asking.client.upload(samples.dicom_files("ct")[0])
        assert asking.ask("PUT", "/note", data=b"seen").status_code == 200
        assert asking.get("/tools/labels") == ["seen"], "the server itself needs no password"
        wrong = {"Authorization": "Basic " + base64.b64encode(b"jane:wrong").decode()}
        server.session.auth = None
        for method, path in (("GET", "/user"), ("POST", "/extensions/Look"), ("PUT", "/note")):
            assert asking.ask(method, path).status_code == 401
            assert asking.ask(method, path, headers=wrong).status_code == 401


def test_pages_of_other_sites_do_not_reach_what_writes(asking: Asking) -> None:
    foreign = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    assert asking.ask("POST", "/extensions/Counting", json={"To": 1}, headers=foreign).status_code == 403
    assert asking.get("/jobs") == []


def test_pages_of_other_sites_do_not_reach_a_get_that_writes() -> None:
    with orthanc_lab.in_process(extensions=[mark, user]) as server:
        asking = Asking(server)
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert asking.ask("GET", "/mark", headers=foreign).status_code == 403
        assert asking.ask("GET", "/user", headers=foreign).status_code == 200
        assert asking.ask("GET", "/mark", headers={"Sec-Fetch-Site": "same-origin"}).text == "marked"
        assert asking.ask("GET", "/mark").text == "marked"


def test_a_route_is_a_function_still() -> None:
    assert returned.name == "returned"
    RETURNED.append(3)
    assert returned(None) == 3


@pytest.mark.parametrize(
    ("method", "path", "handler", "words"),
    [
        ("PATCH", "/a", lambda request: 1, "The method of a route must be one of GET, POST, PUT, DELETE, not 'PATCH'"),
        ("GET", "a", lambda request: 1, "The path 'a' must begin with \"/\""),
        ("GET", "/a//b", lambda request: 1, "In the path /a//b, '' is neither a name nor a field"),
        ("GET", "/a/(.*)", lambda request: 1, "In the path /a/(.*), '(.*)' is neither a name nor a field"),
        ("GET", "/x/{a:path}/b", lambda request, a: 1, "In the path /x/{a:path}/b, {a:path} must be the last part"),
        ("GET", "/x/{a}/{a}", lambda request, a: 1, "The path /x/{a}/{a} has a field twice"),
        ("GET", "/a.", lambda request: 1, "In the path /a., 'a.' is neither a name nor a field"),
        ("GET", "/x/{a}", lambda request: 1, "The function of the route GET /x/{a} must take (request, a): "),
        ("GET", "/a", lambda: 1, "The function of the route GET /a must take (request): "),
        ("GET", "/a", 7, "The route GET /a needs a function"),
        ("GET", "/" + "a" * 1000, lambda request: 1, "The path '/aaaa"),
    ],
)
def test_routes_that_do_not_fit(method: str, path: str, handler: Callable[..., Any], words: str) -> None:
    with pytest.raises(OrthancError) as caught:
        Route(method, path, handler)
    assert caught.value.code == 1
    assert caught.value.details.startswith(words)


@pytest.mark.long
def test_a_server_stops_although_a_route_never_answers() -> None:
    entered, end = threading.Event(), threading.Event()

    def hang(request: Request) -> None:
        entered.set()
        end.wait(100)

    with orthanc_lab.serve(extensions=[Route("GET", "/hang", hang)]) as server, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(server.session.get, f"{server.url}/hang")
        assert entered.wait(20)
        assert server.session.get(f"{server.url}/system").status_code == 200
        began = time.monotonic()
        server.halt()
        assert time.monotonic() - began < 20
        assert isinstance(answer.exception(20), requests.RequestException)
        end.set()


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_leaves_the_connection_usable(asking: Asking, status: int) -> None:
    answer = asking.ask("GET", f"/kinds/status/{status}")
    assert (answer.status_code, answer.content) == (status, b"")
    assert asking.get("/jobs") == []
