"""A server of ours and a real one, each with a DICOM node that does what the test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.queries.scripted_node import Conversation, ScriptedNode

IMPLICIT = "1.2.840.10008.1.2"


class Asked:
    """A server with a node that it may ask, called over HTTP."""

    def __init__(self, url: str, node: ScriptedNode, *, is_real: bool) -> None:
        self.url = url
        self.node = node
        self.is_real = is_real
        self._session = requests.Session()

    def __call__(self, verb: str, path: str, body: Any = None) -> requests.Response:
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        return self._session.request(verb, self.url + path, data=data, timeout=30)

    def get(self, path: str) -> Any:
        answer = self("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, body: Any = None) -> tuple[int, int, str]:
        """Return status, code and details of the error of a POST."""
        answer = self("POST", path, body)
        document = answer.json()
        return answer.status_code, document["OrthancStatus"], document.get("Details", "")

    def script(self, script: Callable[[Conversation], None]) -> None:
        """Let the node do this from now on, and forget what it has received."""
        self.node.script = script
        self.node.received.clear()
        self.node.proposals.clear()

    def stored(self) -> list[str]:
        """Return the instances of the server."""
        instances: list[str] = self.get("/instances")
        return instances

    def forget_all(self) -> None:
        """Delete all that is stored."""
        for patient in self.get("/patients"):
            self("DELETE", f"/patients/{patient}")


def _nothing(conversation: Conversation) -> None:
    conversation.receive()


def _options(port: int) -> dict[str, Any]:
    node = {"AET": "NODE", "Host": "127.0.0.1", "Port": port}
    return {
        "DicomModalities": {
            "node": node,
            "dates": {**node, "Manufacturer": "GenericNoWildcardInDates"},
            "universal": {**node, "Manufacturer": "GenericNoUniversalWildcard"},
            "ge": {**node, "Manufacturer": "GE"},
            "titled": {**node, "LocalAet": "TITLED"},
            "getting": {**node, "RetrieveMethod": "C-GET"},
            "patient": {**node, "Timeout": 30},
            "hasty": {**node, "Timeout": 2},
            "dead": ["DEAD", "127.0.0.1", 9],
        },
        "DicomScuTimeout": 20,
        "JobsHistorySize": 100,
        "KeepAliveTimeout": 60,  # a pause of a busy machine closes no connection just when it is used again
        "QueryRetrieveSize": 20,
    }


@pytest.fixture(scope="session")
def our_server() -> Iterator[Asked]:
    with ScriptedNode(_nothing, syntax=IMPLICIT) as node, orthanc_lab.serve(**_options(node.port)) as server:
        yield Asked(server.url, node, is_real=False)
        assert server.errors == []


@pytest.fixture(scope="session", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def serving(request: pytest.FixtureRequest) -> Iterator[Asked]:
    if request.param == "ours":
        yield request.getfixturevalue("our_server")
    else:
        request.getfixturevalue("real_program")
        with ScriptedNode(_nothing, syntax=IMPLICIT) as node, RealOrthanc(**_options(node.port)) as real:
            yield Asked(real.url, node, is_real=True)


@pytest.fixture
def asked(serving: Asked) -> Iterator[Asked]:
    serving.script(_nothing)
    yield serving
    serving.forget_all()


@pytest.fixture
def ours(our_server: Asked) -> Iterator[Asked]:
    """Our server alone, for what the real one does not do."""
    our_server.script(_nothing)
    yield our_server
    our_server.forget_all()
