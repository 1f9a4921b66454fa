"""Two servers that know each other, emptied before each test, and peers that a test scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.bench import material
from tests.transfers.peer import ScriptedPeer
from tests.waiting import until

BUCKET = 64  # KiB
BUCKETS = 6  # of the files
OPTIONS: dict[str, Any] = {
    "ConcurrentJobs": 2,
    "StableAge": 600,
    "HttpTimeout": 20,
    "KeepAliveTimeout": 60,  # a pause of a busy machine closes no connection just when it is used again
    "Transfers": {"BucketSize": BUCKET, "Threads": 3, "MaxPushTransactions": 2},
}


class Side:
    """One of the servers, called over HTTP."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url: str = server.url
        self.session = requests.Session()

    def __call__(self, verb: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        content = {"json": body} if isinstance(body, (dict, list)) else {"data": body}
        return self.session.request(verb, self.url + path, headers=headers, timeout=30, **content)

    def json(self, path: str) -> Any:
        answer = self("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, *files: bytes) -> list[str]:
        return sorted(self("POST", "/instances", file).json()["ID"] for file in files)

    def instances(self) -> list[str]:
        return sorted(self.json("/instances"))

    def submit(self, kind: str, peer: str, resources: list[Any], compression: str = "none", **more: Any) -> str:
        body = {"Resources": resources, "Compression": compression, "Peer": peer, **more}
        answer = self("POST", f"/transfers/{kind}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()["ID"]

    def wait(self, job: str, *states: str) -> dict[str, Any]:
        """Return a job once it has one of these states, or has ended."""
        wanted = states or ("Success", "Failure")

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.json(f"/jobs/{job}")
            assert found["State"] in (*wanted, "Pending", "Running", "Paused"), found
            return found if found["State"] in wanted else None

        return until(look, what=lambda: self.json(f"/jobs/{job}"))

    def run(self, kind: str, peer: str, resources: list[Any], compression: str = "none", **more: Any) -> dict[str, Any]:
        return self.wait(self.submit(kind, peer, resources, compression, **more))

    def clear(self) -> None:
        for patient in self.json("/patients"):
            self("DELETE", f"/patients/{patient}")
        for peer in self.json("/peers"):
            self("DELETE", f"/peers/{peer}")


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Side, Side]]:
    with orthanc_lab.serve(**OPTIONS) as source, orthanc_lab.serve(**OPTIONS) as target:
        yield Side(source), Side(target)


@pytest.fixture
def near(servers: tuple[Side, Side]) -> Iterator[Side]:
    """The server that is asked for most things; it knows `far` by that name."""
    side, other = servers
    side.clear()
    side("PUT", "/peers/far", {"Url": other.url})
    yield side
    assert side.server.errors == []


@pytest.fixture
def far(servers: tuple[Side, Side]) -> Iterator[Side]:
    """The other server; it knows `near` by that name."""
    other, side = servers
    side.clear()
    side("PUT", "/peers/near", {"Url": other.url})
    yield side
    assert side.server.errors == []


@pytest.fixture
def scripted(near: Side) -> Iterator[Callable[[Callable[..., Any]], ScriptedPeer]]:
    """Makes peers of `near`, which it knows as ``scripted``."""
    made: list[ScriptedPeer] = []

    def make(answer: Callable[..., Any], **fields: Any) -> ScriptedPeer:
        peer = ScriptedPeer(answer)
        made.append(peer)
        near("PUT", "/peers/scripted", {"Url": peer.url, **fields})
        return peer

    yield make
    for peer in made:
        peer.close()


@pytest.fixture(scope="session")
def files() -> list[bytes]:
    """Six small files, and one of 512 kB that is cut into five pieces."""
    return [*material.small_instances(6), *material.ct_instances(1)]
