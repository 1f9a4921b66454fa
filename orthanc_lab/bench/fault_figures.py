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

_Batch = Callable[[], list[bytes]]
"""Makes the requests of a batch. Nothing is asked of one of the servers for it, which would warm that one up."""


def _upload(wire: Wire) -> _Batch:
    return lambda: [http_request("POST", "/instances", content) for content in material.small_instances(_REQUESTS)]


def _archive(wire: Wire) -> _Batch:
    request = http_request("POST", f"/studies/{wire.get_json('/studies')[0]}/archive", b"{}")
    return lambda: [request] * _REQUESTS


def _read(wire: Wire) -> _Batch:
    request = http_request("GET", f"/instances/{wire.get_json('/instances')[0]}/file")
    return lambda: [request] * _REQUESTS


def _ask(wire: Wire) -> _Batch:
    return lambda: [http_request("GET", "/system")] * _REQUESTS


_WORK: dict[str, Callable[[Wire], _Batch]] = {
    "GET /system": _ask,
    "GET a file of 4 kB": _read,
    "upload of 4 kB": _upload,
    "archive of one instance, by a job": _archive,
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
            for name, work in _WORK.items():
                values[name].append(_difference(servers, work))
        finally:
            for server in servers:
                server.remove()
    return [
        Figure(f"faults that are off: {name}", found, _GOAL, at_most=True, unit="%") for name, found in values.items()
    ]


def _difference(servers: list[ServerProcess], work: Callable[[Wire], _Batch]) -> float:
    """Return by how many per cent the first server takes more processor time than the second."""
    wires = [Wire(server.port) for server in servers]
    batch = work(wires[0])
    ratios = []
    for number in range(_BATCHES):
        requests = batch()
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
