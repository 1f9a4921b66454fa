"""What it costs a server that faults could be switched on, while none is."""

from __future__ import annotations

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

_FIRST = 5  # requests of a kind that are not counted: what is called for the first time takes others
_COUNTED = 100  # requests of a kind whose instructions are counted
_PAUSE = 0.002  # seconds between two looks whether threads are at rest
_EQUAL = 3  # such looks that tell that they are
_GOAL = 1.0  # per cent
_ASKED = 3000  # requests of a kind whose time is divided

_Make = Callable[[], bytes]


def measure_faults(command: str) -> list[Figure]:
    """Measure a server that is made with faults, all of them off, beside one without.

    Two starts of the same server differ in processor time by more than faults that are off can cost, since the hashes
    and the addresses of their objects differ, and the turns of their threads. So the instructions are counted that the
    interpreter carries out: the part that is added, times the part of the processor time that is not the system's.

    Parameters
    ----------
    command
        The command line of a server without faults.

    Returns
    -------
    list of Figure
        In per cent of the processor time.
    """
    plain, prepared = _instructions(None), _instructions(Faults())
    shares = _shares_of_user_time(command)
    return [
        Figure(
            f"faults that are off: {name}, {prepared[name] - count} of {count} instructions",
            [(prepared[name] / count - 1) * shares[name] * 100],
            *(_GOAL, True, "%"),
        )
        for name, count in plain.items()
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
