"""A server answers within half a second, whatever it is asked at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

import orthanc_lab
from tests.linear import long_texts
from tests.linear.long_texts import Asked

SECONDS = 0.5
TRIES = 4  # a machine that is busy with other things is slow now and then, a server that is frozen each time
LONGEST = 60  # seconds for one of the requests, and for who asks meanwhile, on a machine that is busy with other things


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

    The time does not count for which the server was ready to go on but got no processor, as far as the system tells.
    """
    longest = 0.0
    while True:
        is_last = running.done()
        began, delayed = time.monotonic(), seconds_without_processor(server.pid)
        assert watch.get(f"{server.url}/tools/now", timeout=LONGEST).status_code == 200
        late = max(0.0, seconds_without_processor(server.pid) - delayed)  # less if a thread has ended
        longest = max(longest, time.monotonic() - began - late)
        if is_last:
            running.result()
            return longest


def seconds_without_processor(pid: int) -> float:
    """Return how long the threads of a process have waited for a processor; 0 where that is not known."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    delays = []
    for thread in threads:
        with suppress(OSError):  # it has ended
            delays.append(int(thread.read_text().split()[1]))
    return sum(delays) / 1e9
