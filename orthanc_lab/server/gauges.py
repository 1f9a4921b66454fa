"""The metrics that are read at each scrape: totals of the database, jobs, uptime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.rest.services import Services

__all__ = ["add_gauges"]

_MIB = 1 << 20


def add_gauges(metrics: PublishedMetrics, services: Services, check: Callable[[], None] = lambda: None) -> None:
    """Let each scrape read the values that are not recorded as events.

    Parameters
    ----------
    check
        Called at first; it raises an error if the others would wait for long.
    """
    started = services.clock.monotonic()

    def reachable() -> Iterator[tuple[str, float]]:
        check()
        return iter(())

    def database() -> Iterator[tuple[str, float]]:
        totals = services.storage.statistics()
        yield "orthanc_count_patients", totals.patients
        yield "orthanc_count_studies", totals.studies
        yield "orthanc_count_series", totals.series
        yield "orthanc_count_instances", totals.instances
        yield "orthanc_disk_size_mb", totals.disk_size / _MIB
        # Orthanc 1.12.7 shows the size on disk here, and dashboards are built on that.
        yield "orthanc_uncompressed_size_mb", totals.disk_size / _MIB
        yield "orthanc_last_change", services.storage.last_change_number()

    def jobs() -> Iterator[tuple[str, float]]:
        counts = services.engine.counts()
        yield "orthanc_jobs_pending", counts[JobState.PENDING] + counts[JobState.RETRY]
        yield "orthanc_jobs_running", counts[JobState.RUNNING] + counts[JobState.PAUSED]
        yield "orthanc_jobs_success", counts[JobState.SUCCESS]
        yield "orthanc_jobs_failed", counts[JobState.FAILURE]
        yield "orthanc_jobs_completed", counts[JobState.SUCCESS] + counts[JobState.FAILURE]

    def up_time() -> Iterator[tuple[str, float]]:
        yield "orthanc_up_time_s", int(services.clock.monotonic() - started)

    def caches() -> Iterator[tuple[str, float]]:
        # Parsed files are not kept; the cache of the storage records its own metrics.
        yield "orthanc_dicom_cache_count", 0
        yield "orthanc_dicom_cache_size_mb", 0
        for name in ("orthanc_storage_cache_count", "orthanc_storage_cache_size_mb"):
            yield name, metrics.value(name)

    for read in (reachable, database, jobs, up_time, caches):
        metrics.add_gauge(read)
    if services.cluster is not None:
        metrics.add_gauge(partial(_cluster, services.cluster))


def _cluster(look: Callable[[], Cluster]) -> Iterator[tuple[str, float]]:
    cluster = look()
    leases = [server.lease_remaining for server in cluster.servers if server.lease_remaining is not None]
    yield "orthanc_lab_cluster_servers", len(cluster.servers)
    yield "orthanc_lab_cluster_leases", sum(remaining > 0 for remaining in leases)
    yield "orthanc_lab_cluster_take_overs_total", cluster.taken_over
    yield "orthanc_lab_cluster_queue", cluster.queue
    yield "orthanc_lab_cluster_running", sum(len(server.running) for server in cluster.servers)
