"""What it costs a server that faults could be switched on, while none is."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

from orthanc_lab.bench import material
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.wire import Wire, http_request, send_all

__all__ = ["measure_faults"]

_PREPARED = f"{sys.executable} -m orthanc_lab.testing.faults {{config}}"
_BATCHES = 300
_REQUESTS = 10  # of a batch
_GOAL = 1.0  # per cent

_Batch = Callable[[Wire], list[bytes]]
"""Makes the requests of a batch, given a connection to the first server; the other one gets the same."""


def _uploads(wire: Wire) -> list[bytes]:
    return [http_request("POST", "/instances", content) for content in material.small_instances(_REQUESTS)]


def _jobs(wire: Wire) -> list[bytes]:
    study = wire.get_json("/studies")[0]
    return [http_request("POST", f"/studies/{study}/archive", b"{}")] * _REQUESTS


def _reads(wire: Wire) -> list[bytes]:
    return [http_request("GET", f"/instances/{wire.get_json('/instances')[0]}/file")] * _REQUESTS


_WORK: dict[str, _Batch] = {
    "GET /system": lambda wire: [http_request("GET", "/system")] * _REQUESTS,
    "GET a file of 4 kB": _reads,
    "upload of 4 kB": _uploads,
    "archive of one instance, by a job": _jobs,
}


def measure_faults(command: str, starts: int) -> list[Figure]:
    """Measure a server that is made with faults, all of them off, against one without.

    Each value is the difference in processor time between two servers that were started anew: the median of many small
    batches in pairs, so that what else the machine does concerns both.
    """
    values: dict[str, list[float]] = {name: [] for name in _WORK}
    for number in range(starts):
        servers = [ServerProcess("with faults", _PREPARED, {}), ServerProcess("without", command, {})]
        try:
            for server in servers if number % 2 else reversed(servers):
                server.start()
            first = material.small_instances(1)
            for server in servers:
                send_all(server.port, [http_request("POST", "/instances", content) for content in first])
            for name, batch in _WORK.items():
                values[name].append(_difference(servers, batch))
        finally:
            for server in servers:
                server.remove()
    return [
        Figure(f"faults that are off: {name}", found, _GOAL, at_most=True, unit="%") for name, found in values.items()
    ]


def _difference(servers: list[ServerProcess], batch: _Batch) -> float:
    """Return by how many per cent the first server takes more processor time than the second."""
    wires = [Wire(server.port) for server in servers]
    ratios = []
    for number in range(_BATCHES):
        requests = batch(wires[0])
        seconds = [0.0, 0.0]
        for place in (0, 1) if number % 2 else (1, 0):
            began = servers[place].thread_seconds()
            for request in requests:
                if (status := wires[place].send(request)[0]) != 200:
                    raise RuntimeError(f"{request[:60]!r} was answered with {status}")
            seconds[place] = servers[place].thread_seconds() - began
        ratios.append(seconds[0] / seconds[1])
    for wire in wires:
        wire.close()
    return (statistics.median(ratios) - 1) * 100
