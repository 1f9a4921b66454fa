"""Servers that share one list of jobs: who they are, what each runs, and which jobs one took over from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orthanc_lab.protocol.timestamps import iso_micros, parse_iso

__all__ = ["Cluster", "ClusterServer", "TakeOver", "cluster_document", "read_cluster"]


@dataclass(frozen=True, slots=True)
class ClusterServer:
    """One of the servers."""

    id: str
    name: str
    epoch: int  # how often it has registered; 0 for a server that shares its jobs with nobody
    address: str  # of its REST API, "" if it has none
    lease_remaining: float | None  # seconds, negative once it has ended; None for a server that needs no lease
    running: tuple[str, ...]  # identifiers of the jobs that it runs
    is_self: bool  # whether it is the one that was asked


@dataclass(frozen=True, slots=True)
class TakeOver:
    """A job that went on at another server, since its own one did not renew its lease."""

    job: str
    from_server: str  # name of the server that ran it
    to_server: str  # name of the one that found it
    at: datetime  # UTC
    seconds: float  # from the end of the lease until the job was claimed by that one


@dataclass(frozen=True, slots=True)
class Cluster:
    """All servers that share a list of jobs, at one moment."""

    servers: tuple[ClusterServer, ...]
    take_overs: tuple[TakeOver, ...]  # the latest ones, the oldest first
    queue: int  # jobs that wait for a worker
    jobs: Mapping[str, str]  # of a job that runs or ran: the name of its last server
    taken_over: int = 0  # how many jobs were taken over in all
    lease_duration: float | None = None  # seconds; None without leases


def cluster_document(cluster: Cluster) -> dict[str, Any]:
    """Return the JSON object that a server sends."""
    return {
        "Servers": [
            {
                "ID": server.id,
                "Name": server.name,
                "Epoch": server.epoch,
                "Address": server.address,
                "LeaseRemaining": server.lease_remaining,
                "Running": list(server.running),
                "Self": server.is_self,
            }
            for server in cluster.servers
        ],
        "TakeOvers": [
            {
                "Job": taken.job,
                "From": taken.from_server,
                "To": taken.to_server,
                "At": iso_micros(taken.at),
                "Seconds": taken.seconds,
            }
            for taken in cluster.take_overs
        ],
        "Queue": cluster.queue,
        "Jobs": dict(cluster.jobs),
        "TakenOver": cluster.taken_over,
        "LeaseDuration": cluster.lease_duration,
    }


def read_cluster(document: Mapping[str, Any]) -> Cluster:
    """Read back what `cluster_document` made.

    Raises
    ------
    KeyError, ValueError, TypeError, AttributeError
        If it is something else.
    """
    return Cluster(
        servers=tuple(
            ClusterServer(
                id=str(server["ID"]),
                name=str(server["Name"]),
                epoch=int(server["Epoch"]),
                address=str(server["Address"]),
                lease_remaining=_seconds(server["LeaseRemaining"]),
                running=tuple(str(job) for job in server["Running"]),
                is_self=bool(server["Self"]),
            )
            for server in document["Servers"]
        ),
        take_overs=tuple(
            TakeOver(
                job=str(taken["Job"]),
                from_server=str(taken["From"]),
                to_server=str(taken["To"]),
                at=parse_iso(taken["At"]),
                seconds=float(taken["Seconds"]),
            )
            for taken in document["TakeOvers"]
        ),
        queue=int(document["Queue"]),
        jobs={str(job): str(server) for job, server in document["Jobs"].items()},
        taken_over=int(document["TakenOver"]),
        lease_duration=_seconds(document["LeaseDuration"]),
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
