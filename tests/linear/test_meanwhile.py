"""A server answers within half a second, whatever it is asked at the same time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

import orthanc_lab
from tests.linear import long_texts
from tests.linear.long_texts import Asked

SECONDS = 0.5
TRIES = 4  # a machine that is busy with other things is slow now and then, a server that is frozen each time
LONGEST = 60  # seconds for one of the requests, and for who asks meanwhile, on a machine that is busy with other things
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0


@pytest.fixture(scope="module")
def server() -> Iterator[orthanc_lab.ChildServer]:
    with orthanc_lab.serve(process=True, KeepAliveTimeout=60) as server:
        yield server


@pytest.fixture(scope="module")
def size(pytestconfig: pytest.Config) -> int:
    return 1_000_000 if pytestconfig.getoption("--long") else 100_000


@pytest.fixture(scope="module")
def instance(server: orthanc_lab.ChildServer, size: int) -> str:
    stored = server.session.post(f"{server.url}/instances", data=long_texts.file_of_long_values(size))
    assert stored.status_code == 200
    path: str = stored.json()["Path"]
    server.session.get(f"{server.url}{path}/preview")
    return path


@pytest.mark.timeout(3000)
def test_the_time_of_day(
    server: orthanc_lab.ChildServer, size: int, instance: str, pytestconfig: pytest.Config
) -> None:
    asked = list(long_texts.requests(size, instance))
    chosen = asked if pytestconfig.getoption("--long") else asked[::4]
    with ThreadPoolExecutor(1) as client, requests.Session() as watch:
        for one in chosen:
            waits: list[float] = []
            while not waits or (waits[-1] > SECONDS and len(waits) < TRIES):
                waits.append(slowest(server, watch, client.submit(send, server, one)))
            assert waits[-1] <= SECONDS, (one[0], waits)
    assert server.errors == []


def send(server: orthanc_lab.ChildServer, asked: Asked) -> float:
    name, verb, path, arguments = asked
    began = time.monotonic()
    answer = server.session.request(verb, server.url + path, timeout=LONGEST, allow_redirects=False, **arguments)
    assert "Traceback" not in answer.text[:10_000], name
    return time.monotonic() - began


def slowest(server: orthanc_lab.ChildServer, watch: requests.Session, running: Future[float]) -> float:
    """Return the longest that somebody else waited for an answer while a request ran.

    Only the time counts for which the server had a processor, as far as the system tells.
    """
    longest = 0.0
    while True:
        is_last = running.done()
        began, used = time.monotonic(), processor_seconds(server.pid)
        assert watch.get(f"{server.url}/tools/now", timeout=LONGEST).status_code == 200
        longest = max(longest, min(time.monotonic() - began, processor_seconds(server.pid) - used))
        if is_last:
            running.result()
            return longest


def processor_seconds(pid: int) -> float:
    """Return how long a process had a processor; where that is not known, the time of the clock."""
    stat = Path(f"/proc/{pid}/stat")
    if not TICKS or not stat.exists():
        return time.monotonic()
    user, system = stat.read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / TICKS
