"""Workloads that ask for what is there, and those that remove it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from orthanc_lab.bench.uploading import posts
from orthanc_lab.bench.wire import Wire, http_request, send_all
from orthanc_lab.bench.workload import Run

__all__ = ["deletion", "each_job", "find_again", "finds", "first_study", "gets", "nothing", "of_instance", "one_job"]

_limits = itertools.count()


def first_study(wire: Wire) -> str:
    """Return the identifier of a study."""
    return str(wire.get_json("/studies")[0])


def gets(path: str | Callable[[Wire], str], count: int) -> Callable[[], Run]:
    """Return what prepares a request that is repeated; its path may depend on what the server has."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            target = path if isinstance(path, str) else path(wire)
            wire.close()
            send_all(port, [http_request("GET", target)] * count)
            return count

        return run

    return prepare


def one_job(wire: Wire) -> str:
    """Return the path of a job."""
    return f"/jobs/{wire.get_json('/jobs')[0]}"


def each_job(count: int) -> Callable[[], Run]:
    """Return what prepares one request for each of so many jobs."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            jobs = wire.get_json("/jobs")[:count]
            wire.close()
            send_all(port, [http_request("GET", f"/jobs/{job}") for job in jobs])
            return len(jobs)

        return run

    return prepare


def of_instance(suffix: str) -> Callable[[Wire], str]:
    """Return what finds the path of something of an instance."""
    return lambda wire: f"/instances/{wire.get_json('/instances')[0]}/{suffix}"


def finds(query: dict[str, Any], clients: int = 1) -> Callable[[], Run]:
    """Return what prepares searches; no two are the same, so that nothing is known from before."""

    def prepare() -> Run:
        bodies = [
            {"Level": "Study", "Expand": True, **query, "Limit": query["Limit"] + next(_limits)}
            for _ in range(5 * clients)
        ]
        return posts("/tools/find", [json.dumps(body).encode() for body in bodies], clients)

    return prepare


def find_again() -> Run:
    """Prepare one search that is repeated."""
    return posts("/tools/find", [b'{"Level":"Study","Query":{},"Expand":true}'] * 5)


def deletion() -> Run:
    """Prepare the deletion of a study."""

    def run(port: int) -> int:
        wire = Wire(port)
        wire.call("DELETE", f"/studies/{first_study(wire)}")
        wire.close()
        return 1

    return run


def nothing() -> Run:
    """Prepare nothing: a restart itself is the work."""
    return lambda port: 0
