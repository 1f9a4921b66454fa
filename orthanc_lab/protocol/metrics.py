"""The metrics that Orthanc publishes: their names, their update policies, and the port for recording them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

__all__ = ["POLICIES", "MetricPolicy", "Metrics", "NoMetrics"]


class MetricPolicy(Enum):
    """How an update changes the published value."""

    DIRECTLY = "replaces value and time"
    MAX_OVER_10_SECONDS = "replaces the stored value if larger, or if that is more than 10 s old"
    INCREMENT = "adds to a counter that starts at 0"


_DIRECTLY, _MAX, _INCREMENT = MetricPolicy
POLICIES: dict[str, MetricPolicy] = {
    "orthanc_count_instances": _DIRECTLY,
    "orthanc_count_patients": _DIRECTLY,
    "orthanc_count_series": _DIRECTLY,
    "orthanc_count_studies": _DIRECTLY,
    "orthanc_dicom_cache_count": _DIRECTLY,
    "orthanc_dicom_cache_size_mb": _DIRECTLY,
    "orthanc_disk_size_mb": _DIRECTLY,
    "orthanc_find_scp_duration_ms": _MAX,
    "orthanc_get_scp_duration_ms": _MAX,
    "orthanc_jobs_completed": _DIRECTLY,
    "orthanc_jobs_failed": _DIRECTLY,
    "orthanc_jobs_pending": _DIRECTLY,
    "orthanc_jobs_running": _DIRECTLY,
    "orthanc_jobs_success": _DIRECTLY,
    "orthanc_last_change": _DIRECTLY,
    "orthanc_memory_trimming_duration_ms": _MAX,
    "orthanc_move_scp_duration_ms": _MAX,
    "orthanc_rest_api_active_requests": _MAX,
    "orthanc_rest_api_duration_ms": _MAX,
    "orthanc_storage_cache_count": _DIRECTLY,
    "orthanc_storage_cache_hit_count": _INCREMENT,
    "orthanc_storage_cache_miss_count": _INCREMENT,
    "orthanc_storage_cache_size_mb": _DIRECTLY,
    "orthanc_storage_create_duration_ms": _MAX,
    "orthanc_storage_read_bytes": _INCREMENT,
    "orthanc_storage_read_duration_ms": _MAX,
    "orthanc_storage_remove_duration_ms": _MAX,
    "orthanc_storage_written_bytes": _INCREMENT,
    "orthanc_store_dicom_duration_ms": _MAX,
    "orthanc_uncompressed_size_mb": _DIRECTLY,
    "orthanc_up_time_s": _DIRECTLY,
}
"""Every metric of the server, with its update policy."""


class Metrics(Protocol):
    """Where parts of the server record their measurements."""

    def record(self, name: str, value: float) -> None:
        """Update the metric `name` according to its policy; does nothing while metrics are switched off."""
        ...


class NoMetrics:
    """Discards all measurements."""

    def record(self, name: str, value: float) -> None:
        """Discard the value."""
