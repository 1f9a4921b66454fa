"""The servers that share a list of jobs, as one of them sees them."""

from __future__ import annotations

from dataclasses import replace

from orthanc_lab.jobs.job_table import JobTable
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.store import SharedJobStore
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.jobs import JobState

__all__ = ["overview"]

_TAKE_OVERS = 100  # that are shown


def overview(store: SharedJobStore, table: JobTable, own_epoch: int | None, lease_duration: float) -> Cluster:
    """Return the servers with what they run, by a table of jobs that is up to date.

    Raises
    ------
    OrthancError
        If the list cannot be reached.
    """
    entries = [entry for entry in table.entries() if isinstance(entry, SharedEntry)]
    running: dict[int | None, list[str]] = {}
    for entry in entries:
        if entry.status.state is JobState.RUNNING:
            running.setdefault(entry.epoch, []).append(entry.id)
    taken_over, take_overs = store.take_overs(_TAKE_OVERS)
    return Cluster(
        servers=tuple(
            replace(server, running=tuple(running.get(server.epoch, ())), is_self=server.epoch == own_epoch)
            for server in store.servers()
        ),
        take_overs=tuple(take_overs),
        queue=table.counts()[JobState.PENDING],
        jobs={entry.id: entry.server for entry in entries if entry.server is not None},
        taken_over=taken_over,
        lease_duration=lease_duration,
    )
