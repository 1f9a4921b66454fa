"""What it costs a server that faults could be switched on, while none is."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

from orthanc_lab.bench import material
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.instructions import counted_instructions
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.wire import Wire, http_request
from orthanc_lab.server.embedding.serve import serve
from orthanc_lab.testing.faults.faults import Faults

__all__ = ["measure_faults"]

_PREPARED = f"{sys.executable} -m orthanc_lab.testing.faults {{config}}"
_BATCHES = 60
_REQUESTS = 10  # of a batch
_COUNTED = 25  # requests of a kind whose instructions are counted
_GOAL = 1.0  # per cent

_Make = Callable[[], bytes]


def measure_faults(command: str, starts: int) -> list[Figure]:
    """Measure a server that is made with faults, all of them off, beside one without.

    Two starts of the same server differ in processor time by more than faults that are off can cost, since the hashes
    and the addresses of their objects differ. So, for requests that one thread answers, the instructions that the
    interpreter carries out are counted. A job is carried on by several threads, whose turns are never the same twice:
    for it, the processor time is measured, in many small batches and over many starts, beside a control: what two
    servers differ by that both have no faults.

    Parameters
    ----------
    command
        The command line of a server without faults.
    starts
        How many times servers are started for measuring the time.

    Returns
    -------
    list of Figure
        In per cent.
    """
    plain, prepared = _instructions(None), _instructions(Faults())
    figures = [
        Figure(f"faults that are off, instructions: {name}", [(prepared[name] / count - 1) * 100], _GOAL, True, "%")
        for name, count in plain.items()
    ]
    costs, controls = _times_of_jobs(command, starts)
    return [
        *figures,
        Figure("faults that are off, processor time: archive of one instance, by a job", costs, _GOAL, True, "%"),
        Figure("control, processor time: the same by two servers without faults", controls, _GOAL, True, "%"),
    ]


def _instructions(faults: Faults | None) -> dict[str, float]:
    """Return how many instructions each kind of request takes: the median of some."""
    with counted_instructions() as so_far, serve(faults=faults) as server:
        wire = Wire(server.port)
        first = material.small_instances(1)[0]
        _send(wire, http_request("POST", "/instances", first))
        file = f"/instances/{wire.get_json('/instances')[0]}/file"
        requests: dict[str, _Make] = {
            "GET /system": lambda: http_request("GET", "/system"),
            "GET a file of 4 kB": lambda: http_request("GET", file),
            "upload of 4 kB": lambda: http_request("POST", "/instances", material.small_instances(1)[0]),
        }
        counts: dict[str, float] = {}
        for name, make in requests.items():
            found = []
            for _ in range(_COUNTED):
                request, before = make(), so_far()
                _send(wire, request)
                found.append(so_far() - before)
            counts[name] = statistics.median(found)
        wire.close()
    return counts


def _send(wire: Wire, request: bytes) -> None:
    if (status := wire.send(request)[0]) != 200:
        raise RuntimeError(f"{request[:60]!r} was answered with {status}")


def _times_of_jobs(command: str, starts: int) -> tuple[list[float], list[float]]:
    """Return, of each start, what faults cost, and by what two servers without faults differ, in per cent."""
    costs, controls = [], []
    for number in range(starts):
        servers = [ServerProcess("with faults", _PREPARED, {}), *(ServerProcess("without", command, {}) for _ in "ab")]
        try:
            for server in _turn(servers, number):
                server.start()
            cost, control = _differences(servers)
        finally:
            for server in servers:
                server.remove()
        costs.append(cost)
        controls.append(control)
    return costs, controls


def _turn(servers: list[ServerProcess], number: int) -> list[ServerProcess]:
    """Return the servers in an order in which each is as often before as after each other one."""
    first = number % len(servers)
    turned = servers[first:] + servers[:first]
    return turned[::-1] if number // len(servers) % 2 else turned


def _differences(servers: list[ServerProcess]) -> tuple[float, float]:
    """Return by how many per cent the first server takes more than the others, and the second more than the third."""
    wires = {server: Wire(server.port) for server in servers}
    upload = http_request("POST", "/instances", material.small_instances(1)[0])
    for wire in wires.values():
        _send(wire, upload)
    study = wires[servers[0]].get_json("/studies")[0]
    request = http_request("POST", f"/studies/{study}/archive", b"{}")
    costs, controls = [], []
    for number in range(_BATCHES):
        seconds = {}
        for server in _turn(servers, number):
            began = server.thread_seconds()
            for _ in range(_REQUESTS):
                _send(wires[server], request)
            seconds[server] = server.thread_seconds() - began
        faulty, one, other = (seconds[server] for server in servers)
        costs.append(2 * faulty / (one + other))
        controls.append(one / other)
    for wire in wires.values():
        wire.close()
    return (statistics.median(costs) - 1) * 100, (statistics.median(controls) - 1) * 100
