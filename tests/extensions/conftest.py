from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from tests.extensions.kinds import GATES, kinds


class Asking:
    """Short words for the requests of the tests."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.client = orthanc_lab.Client.from_server(server)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        return self.server.session.request(method, self.server.url + path, **options)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, path: str, **parameters: Any) -> str:
        """Submit a job, which is not waited for; return its id."""
        answer = self.ask("POST", path, json={**parameters, "Asynchronous": True})
        assert answer.status_code == 200, answer.text
        assert answer.json()["Path"] == f"/jobs/{answer.json()['ID']}"
        id: str = answer.json()["ID"]
        return id

    def job(self, id: str) -> Any:
        return self.get(f"/jobs/{id}")

    def command(self, id: str, command: str) -> int:
        code: int = self.ask("POST", f"/jobs/{id}/{command}").status_code
        return code


@pytest.fixture(scope="module")
def _server() -> Iterator[EmbeddedServer]:
    with orthanc_lab.serve(extensions=[kinds], ConcurrentJobs=2, JobsHistorySize=50) as server:
        yield server
        for gate in GATES.values():
            gate.release(100)


@pytest.fixture
def asking(_server: EmbeddedServer) -> Iterator[Asking]:
    """A server with the extension of these tests, empty."""
    _server.renew()
    yield Asking(_server)
    errors = list(_server.errors)
    _server.errors.clear()
    assert errors == []
