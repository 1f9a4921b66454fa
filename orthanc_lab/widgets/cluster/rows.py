"""The servers of a cluster, their jobs and the take-overs, as rows of tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orthanc_lab.client import Job
from orthanc_lab.client.cluster import Cluster
from orthanc_lab.protocol.cluster import ClusterServer, TakeOver
from orthanc_lab.widgets.cluster.handles import Handle
from orthanc_lab.widgets.elements.table import Column, Tone
from orthanc_lab.widgets.elements.toolbar import Tool

__all__ = [
    "RUNNING_COLUMNS",
    "SERVER_COLUMNS",
    "SERVER_TOOLS",
    "TAKE_OVER_COLUMNS",
    "facts",
    "running_row",
    "server_rows",
    "take_over_row",
]

_LIVE, _ENDED, _ALONE, _STOPPED, _ABSENT = "Live", "Lease ended", "On its own", "Stopped", "Not registered"
_SIGNS: dict[str, tuple[str, Tone]] = {
    _LIVE: ("check", "good"),
    _ENDED: ("hourglass-end", "bad"),
    _ALONE: ("circle-o", "plain"),
    _STOPPED: ("bolt", "bad"),
    _ABSENT: ("question", "waiting"),
}

SERVER_COLUMNS = (
    Column("state", "State", "badge", _SIGNS),
    Column("name", "Server"),
    Column("lease", "Lease", "progress"),
    Column("left", "Left", "span"),
    Column("runs", "Runs", "number"),
    Column("epoch", "Epoch", "number"),
    Column("address", "Address", "words"),
)
RUNNING_COLUMNS = (
    Column("server", "Server"),
    Column("type", "Type"),
    Column("progress", "Progress", "progress"),
    Column("job", "Job"),
)
TAKE_OVER_COLUMNS = (
    Column("at", "At (UTC)", "time"),
    Column("job", "Job"),
    Column("from", "From"),
    Column("to", "To"),
    Column("seconds", "After the lease", "span"),
)
SERVER_TOOLS = (
    Tool("kill", "Kill", "bolt", "Kill the processes of the selected servers, like kill -9"),
    Tool("start", "Start again", "play", "Start the selected servers again"),
)


def server_rows(cluster: Cluster, handles: Iterable[Handle]) -> list[dict[str, Any]]:
    """Return the servers, by name; also those that this program started and that are gone."""
    own = {handle.name: handle for handle in handles}
    latest = sorted(cluster.servers, key=lambda server: server.epoch)  # one that was started again is there twice
    rows = {server.name: _server_row(server, cluster, own.get(server.name)) for server in latest}
    for name, handle in own.items():
        if name not in rows:
            rows[name] = _row(name, _ABSENT if handle.server.is_running else _STOPPED, address=handle.server.url)
    return [rows[name] for name in sorted(rows)]


def _server_row(server: ClusterServer, cluster: Cluster, handle: Handle | None) -> dict[str, Any]:
    left, whole = server.lease_remaining, cluster.lease_duration
    if handle is not None and not handle.server.is_running:
        state = _STOPPED
    elif left is None:
        state = _ALONE
    else:
        state = _LIVE if left > 0 else _ENDED
    row = _row(server.name, state, address=server.address or (handle.server.url if handle else ""))
    if left is not None and whole:
        row["lease"] = max(0, min(100, round(100 * left / whole)))
        row["left"] = max(0.0, round(left, 1))
    return {**row, "runs": len(server.running), "epoch": server.epoch}


def _row(name: str, state: str, *, address: str) -> dict[str, Any]:
    return {
        "id": name,
        "state": state,
        "name": name,
        "lease": None,
        "left": None,
        "runs": None,
        "epoch": None,
        "address": address,
    }


def running_row(job: Job, server: str) -> dict[str, Any]:
    """Return a job that runs as a row."""
    return {"id": job.id, "server": server, "type": job.type, "progress": job.progress, "job": job.id[:8]}


def take_over_row(taken: TakeOver) -> Mapping[str, Any]:
    """Return a take-over as a row."""
    return {
        "id": f"{taken.job} {taken.at.isoformat()}",
        "at": f"{taken.at:%Y-%m-%dT%H:%M:%S}",
        "job": taken.job[:8],
        "from": taken.from_server,
        "to": taken.to_server,
        "seconds": round(taken.seconds, 2),
    }


def facts(cluster: Cluster) -> str:
    """Return the whole in one line."""
    parts = [_count(len(cluster.servers), "server", "servers")]
    parts.append(f"{_count(sum(len(server.running) for server in cluster.servers), 'job runs', 'jobs run')}")
    parts.append(f"{_count(cluster.queue, 'job waits', 'jobs wait')} for a worker")
    if cluster.is_shared:
        parts.append(f"{_count(cluster.taken_over, 'job', 'jobs')} taken over so far")
    else:
        parts.append("it shares its jobs with no other server")
    return " · ".join(parts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
