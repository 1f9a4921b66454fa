"""Three servers on one PostgreSQL: how many jobs they claim in a second, how soon one takes over, how it grows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from orthanc_lab.bench import material
from orthanc_lab.bench.databases import Databases
from orthanc_lab.bench.figure import Figure
from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.wire import Wire, http_request, send_all
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.testing.holding_peer import HoldingPeer

__all__ = ["claims", "growth", "measure_cluster", "take_overs"]

_NAMES = ("Anna", "Bert", "Carla")
_JOBS = 1500
_KILLS = 20
_INSTANCES = 100_000
_PATIENCE = 120.0  # seconds
_LOOK_AGAIN = 0.01  # seconds
_GROUP = 1000  # instances in a ZIP
_PAIRS = 10
_LEASE = 3.0  # seconds, the default


@contextmanager
def _shared(databases: Databases, peer: HoldingPeer | None = None) -> Iterator[dict[str, Any]]:
    """Make a database and a folder; yields the options of servers that share them, and know a peer as ``held``."""
    peers = {} if peer is None else {"held": [peer.url]}
    with tempfile.TemporaryDirectory(prefix="orthanc-bench-") as folder:
        shared = {"StorageDirectory": folder, "JobsHistorySize": 20_000, "OrthancPeers": peers}
        yield {**databases.options(), **shared}


@contextmanager
def _servers(command: str, options: dict[str, Any], *names: str, workers: int = 4) -> Iterator[list[ServerProcess]]:
    """Start a server of each name."""
    with ExitStack() as stack:
        servers = []
        for name in names:
            own = {"Name": name, "DatabaseServerIdentifier": name, "ConcurrentJobs": workers}
            server = ServerProcess(name, command, {**options, **own})
            stack.callback(server.remove)
            servers.append(server)
        for server in servers:
            server.start()
        yield servers


def claims(command: str, databases: Databases, jobs: int = _JOBS) -> Figure:
    """Measure how many short jobs three servers claim, run and end in a second.

    The jobs wait at a fourth server, whose only worker is held by a peer. The time begins when each of the three has
    ended one.
    """
    with (
        HoldingPeer() as peer,
        _shared(databases, peer) as options,
        _servers(command, options, "Front", workers=1) as (front,),
    ):
        wire = Wire(front.port)
        send_all(front.port, [http_request("POST", "/instances", material.small_instances(1)[0])])
        peer.hold()
        held = wire.call("POST", "/peers/held/store", {"Resources": wire.get_json("/instances"), "Asynchronous": True})
        peer.wait_until_held()
        path = f"/studies/{wire.get_json('/studies')[0]}/archive"
        send_all(front.port, [http_request("POST", path, b'{"Asynchronous":true}')] * jobs, 4)
        with _servers(command, options, *_NAMES):
            _await(lambda: wire.get_json("/orthanc-lab/cluster")["Queue"] == 0, pause=1.0)
            _await(lambda: all(job["State"] == "Success" for job in _others(wire, held["ID"])), pause=0.2)
            ends: dict[str, list[float]] = {}
            ran = wire.get_json("/orthanc-lab/cluster")["Jobs"]
            for job in _others(wire, held["ID"]):
                ends.setdefault(ran[job["ID"]], []).append(parse_iso(job["CompletionTime"]).timestamp())
        peer.let_go()
        wire.close()
    begin = max(min(times) for times in ends.values())
    later = [end for times in ends.values() for end in times if end > begin]
    rate = len(later) / (max(later) - begin)
    return Figure(f"cluster: jobs claimed, run and ended by {len(ends)} servers", [rate], 300, at_most=False, unit="/s")


def take_overs(command: str, databases: Databases, kills: int = _KILLS) -> list[Figure]:
    """Measure when the job of a killed server runs elsewhere: after the kill, and after the end of its lease."""
    from_kill, from_lease = [], []
    with HoldingPeer() as peer, _shared(databases, peer) as options, _servers(command, options, *_NAMES) as servers:
        send_all(servers[0].port, [http_request("POST", "/instances", material.small_instances(1)[0])])
        for _ in range(kills):
            peer.hold()
            taken = _kill_who_runs(servers)
            peer.let_go()
            _await(partial(_none_runs, servers[0].port))  # so that a worker is free for the next one
            from_kill.append(taken[0])
            from_lease.append(taken[1])
    worst = max(from_lease)
    return [
        Figure("cluster: kill -9 to running elsewhere", from_kill, _LEASE + 2, at_most=True, unit="s"),
        Figure("cluster: end of the lease to take-over", from_lease, 2, at_most=True, unit="s"),
        Figure("cluster: end of the lease to take-over, worst", [worst], 2, at_most=True, unit="s"),
    ]


def _kill_who_runs(servers: list[ServerProcess]) -> tuple[float, float]:
    """Kill the server that runs a job; return the seconds from then, and from the end of its lease."""
    by_name = {server.name: server for server in servers}
    wire = Wire(servers[0].port)
    job = wire.call("POST", "/peers/held/store", {"Resources": wire.get_json("/instances"), "Asynchronous": True})["ID"]
    runner = _await(lambda: _runs(wire, job))
    wire.close()
    began = time.perf_counter()
    by_name[runner].kill()
    other = Wire(next(server.port for server in servers if server.name != runner))
    _await(lambda: _runs(other, job) not in (None, runner))
    seconds = time.perf_counter() - began
    taken = _await(lambda: _take_over(other, job))
    other.close()
    by_name[runner].start()
    return seconds, taken["Seconds"]


def _take_over(wire: Wire, job: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = wire.get_json("/orthanc-lab/cluster")["TakeOvers"]
    return next((taken for taken in found if taken["Job"] == job), None)


def _none_runs(port: int) -> bool:
    wire = Wire(port)
    servers = wire.get_json("/orthanc-lab/cluster")["Servers"]
    wire.close()
    return not any(server["Running"] for server in servers)


def _runs(wire: Wire, job: str) -> str | None:
    servers = wire.get_json("/orthanc-lab/cluster")["Servers"]
    return next((server["Name"] for server in servers if job in server["Running"]), None)


def growth(command: str, databases: Databases, instances: int = _INSTANCES) -> list[Figure]:
    """Measure in pairs how much slower searching and uploading are with many instances than with a thousand."""
    with (
        _shared(databases) as of_few,
        _shared(databases) as of_many,
        _servers(command, of_few, "Few") as (few,),
        _servers(command, of_many, "Many") as (many,),
    ):
        for server in (few, many):
            _fill(server.port, 1000, 1)
        _fill(many.port, instances, 50)
        found = [_ratio(_finds, few.port, many.port, number) for number in range(_PAIRS)]
        uploaded = [_ratio(_uploads, few.port, many.port, number) for number in range(_PAIRS)]
    return [
        Figure(f"cluster: time of {what} at {instances:,} / at 1,000 instances", ratios, 1.2, at_most=True)
        for what, ratios in (("find of 1,000 studies", found), ("upload 4 kB", uploaded))
    ]


def _fill(port: int, instances: int, per_study: int) -> None:
    for _ in range(instances // _GROUP):
        content = material.zip_of(material.small_instances(_GROUP, per_study))
        send_all(port, [http_request("POST", "/instances", content)])


def _finds() -> list[bytes]:
    body = b'{"Level":"Study","Query":{},"Expand":true,"Limit":1000}'
    return [http_request("POST", "/tools/find", body)] * 3


def _uploads() -> list[bytes]:
    return [http_request("POST", "/instances", file) for file in material.small_instances(100)]


def _ratio(prepare: Callable[[], list[bytes]], few: int, many: int, number: int) -> float:
    """Return the time of the same work at the one port divided by that at the other; who comes first alternates."""
    seconds = {}
    for port in (few, many) if number % 2 else (many, few):
        requests = prepare()
        began = time.perf_counter()
        send_all(port, requests)
        seconds[port] = time.perf_counter() - began
    return seconds[many] / seconds[few]


def _others(wire: Wire, held: str) -> list[dict[str, Any]]:
    return [job for job in wire.get_json("/jobs?expand") if job["ID"] != held]


def _await(found: Callable[[], Any], pause: float = _LOOK_AGAIN) -> Any:
    """Return what is found, as soon as it is true; between two looks is a pause."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(pause)
    raise TimeoutError(f"The servers did not get there within {_PATIENCE:.0f} s")


def measure_cluster(command: str, databases: Databases, *, grow: bool) -> Iterator[Figure]:
    """Yield all figures, in turn."""
    yield claims(command, databases)
    yield from take_overs(command, databases)
    if grow:
        yield from growth(command, databases)
