"""The servers that share a list of jobs with the one of a client."""

from __future__ import annotations

from dataclasses import fields

from orthanc_lab.client import display
from orthanc_lab.client.errors import NoClusterError, NotFoundError, reading
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol import cluster
from orthanc_lab.protocol.cluster import ClusterServer, read_cluster
from orthanc_lab.protocol.visible import visible

__all__ = ["Cluster", "cluster_of"]


class Cluster(cluster.Cluster):
    """The servers that share one list of jobs, as they were when one of them was asked.

    Attributes
    ----------
    servers
        The servers, each with its ``name``, ``address``, ``epoch``, ``lease_remaining`` (in seconds) and ``running``:
        the identifiers of the jobs that it runs.
    take_overs
        The last jobs that went on at another server, each with ``job``, ``from_server``, ``to_server``, ``at`` and
        ``seconds``: the time from the end of the lease until the job was free.
    taken_over
        How many there were in all.
    queue
        How many jobs wait for a worker.
    jobs
        The name of the last server of each job that runs or ran.
    lease_duration
        Seconds; None for a server that shares its jobs with nobody.

    Examples
    --------
    >>> cluster = client.cluster()
    >>> [len(server.running) for server in cluster.servers], cluster.queue
    ([0], 0)
    """

    __slots__ = ()

    @property
    def is_shared(self) -> bool:
        """Whether other servers can have the same list of jobs."""
        return self.lease_duration is not None

    @property
    def me(self) -> ClusterServer | None:
        """The server that was asked; None if its own lease has ended."""
        return next((server for server in self.servers if server.is_self), None)

    def __repr__(self) -> str:
        return visible(f"<Cluster: {', '.join(_line(server) for server in self.servers)}; {_waiting(self.queue)}>")

    def _repr_html_(self) -> str:
        heads = ("Server", "Address", "Lease", "Runs")
        rows = [
            (server.name, server.address, lease_words(server), ", ".join(job[:8] for job in server.running))
            for server in self.servers
        ]
        taken = [
            (f"{take.at:%H:%M:%S} UTC", take.job[:8], take.from_server, take.to_server) for take in self.take_overs
        ]
        below = display.table(heads, rows)
        if taken:
            below += display.table(("Taken over", "Job", "From", "To"), taken)
        return display.card("Cluster", {}, below=below + display.paragraph(_waiting(self.queue)))


def cluster_of(transport: Transport) -> Cluster:
    """Return the servers that share the list of jobs.

    Raises
    ------
    NoClusterError
        If the server cannot tell.
    """
    try:
        document = transport.get("/orthanc-lab/cluster")
    except NotFoundError:
        raise NoClusterError(transport.url) from None
    with reading(transport.url, "a cluster"):
        read = read_cluster(document)
    return Cluster(*(getattr(read, field.name) for field in fields(read)))


def lease_words(server: ClusterServer) -> str:
    """Return what is left of the lease of a server, in words; "" if it needs none."""
    left = server.lease_remaining
    if left is None:
        return ""
    return f"{left:.1f} s left" if left > 0 else f"ended {-left:.1f} s ago"


def _line(server: ClusterServer) -> str:
    count = len(server.running)
    return f"{server.name} runs {count} {'job' if count == 1 else 'jobs'}"


def _waiting(queue: int) -> str:
    return f"{queue:,} {'job waits' if queue == 1 else 'jobs wait'} for a worker"
