"""What it costs a server that faults could be switched on, while none is."""

from __future__ import annotations

import statistics
import sys
import time
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
_FIRST = 5  # requests of a kind that are not counted: what is called for the first time takes others
_COUNTED = 100  # requests of a kind whose instructions are counted
_PAUSE = 0.002  # seconds between two looks whether threads are at rest
_EQUAL = 3  # such looks that tell that they are
_GOAL = 1.0  # per cent
_ASKED = 3000  # requests of a kind whose time is divided

_Make = Callable[[], bytes]


def measure_faults(command: str, starts: int) -> list[Figure]:
    """Measure a server that is made with faults, all of them off, beside one without.

    Two starts of the same server differ in processor time by more than faults that are off can cost, since the hashes
    and the addresses of their objects differ. So the instructions that the interpreter carries out are counted: the
    part that is added, times the part of the processor time that is not the system's. That takes all instructions for
    equal, and does not see what the turns of threads cost. A job is carried on by several threads: its processor time
    is measured too, in many small batches and over many starts, beside a control: what two servers differ by that both
    have no faults.

    Parameters
    ----------
    command
        The command line of a server without faults.
    starts
        How many times servers are started for measuring the time.

    Returns
    -------
    list of Figure
        In per cent of the processor time.
    """
    plain, prepared = _instructions(None), _instructions(Faults())
    shares = _shares_of_user_time(command)
    counted = [
        Figure(
            f"faults that are off: {name}, {prepared[name] - count} of {count} instructions",
            [(prepared[name] / count - 1) * shares[name] * 100],
            *(_GOAL, True, "%"),
        )
        for name, count in plain.items()
    ]
    costs, controls = _times_of_jobs(command, starts)
    return [
        *counted,
        Figure("faults that are off: processor time of such a job", costs, _GOAL, True, "%"),
        Figure("control: the same by two servers without faults", controls, _GOAL, True, "%"),
    ]


def _requests(wire: Wire) -> dict[str, _Make]:
    """Return what makes the requests of each kind."""
    _send(wire, http_request("POST", "/instances", material.small_instances(1)[0]))
    file = f"/instances/{wire.get_json('/instances')[0]}/file"
    archive = http_request("POST", f"/studies/{wire.get_json('/studies')[0]}/archive", b"{}")
    return {
        "GET /system": lambda: http_request("GET", "/system"),
        "GET a file of 4 kB": lambda: http_request("GET", file),
        "upload of 4 kB": lambda: http_request("POST", "/instances", material.small_instances(1)[0]),
        "archive of one instance, by a job": lambda: archive,
    }


def _instructions(faults: Faults | None) -> dict[str, int]:
    """Return how many instructions each kind of request takes at least.

    The turns of the threads that carry on a job make a fifth more of them, in some requests and not in others.
    """
    with counted_instructions() as so_far, serve(faults=faults) as server:
        wire = Wire(server.port)
        counts: dict[str, int] = {}
        for name, make in _requests(wire).items():
            found = []
            for _ in range(_FIRST + _COUNTED):
                request, before = make(), _settled(so_far)
                _send(wire, request)
                found.append(_settled(so_far) - before)
            counts[name] = min(found[_FIRST:])
        wire.close()
    return counts


def _settled(so_far: Callable[[], int]) -> int:
    """Return the number once it does not grow any more: a thread goes on when its answer is there already."""
    count, equal = so_far(), 0
    while equal < _EQUAL:
        time.sleep(_PAUSE)
        before, count = count, so_far()
        equal = equal + 1 if count == before else 0
    return count


def _shares_of_user_time(command: str) -> dict[str, float]:
    """Return which part of its processor time a server needs for its own code, for each kind of request."""
    server = ServerProcess("without", command, {})
    shares = {}
    try:
        server.start()
        wire = Wire(server.port)
        for name, make in _requests(wire).items():
            before = server.user_and_system_seconds()
            for _ in range(_ASKED):
                _send(wire, make())
            user, system = (
                after - earlier for after, earlier in zip(server.user_and_system_seconds(), before, strict=True)
            )
            shares[name] = user / (user + system) if user + system else 1.0
        wire.close()
    finally:
        server.remove()
    return shares


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
