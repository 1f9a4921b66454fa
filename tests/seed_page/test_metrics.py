"""Instrumentation with Prometheus."""

from __future__ import annotations

import re

from orthanc_lab import samples
from tests.seed_page.conftest import Page

# The metrics of the page's example, without those that only some servers have and with the
# name that orthanc_dicom_cache_size has had since 1.12.2.
PRINTED = (
    "orthanc_count_instances",
    "orthanc_count_patients",
    "orthanc_count_series",
    "orthanc_count_studies",
    "orthanc_dicom_cache_count",
    "orthanc_dicom_cache_size_mb",
    "orthanc_disk_size_mb",
    "orthanc_jobs_completed",
    "orthanc_jobs_failed",
    "orthanc_jobs_pending",
    "orthanc_jobs_running",
    "orthanc_jobs_success",
    "orthanc_last_change",
    "orthanc_rest_api_active_requests",
    "orthanc_rest_api_duration_ms",
    "orthanc_storage_create_duration_ms",
    "orthanc_store_dicom_duration_ms",
    "orthanc_uncompressed_size_mb",
    "orthanc_up_time_s",
)


def test_exposition(page: Page, study: str) -> None:
    text = page.bash("curl http://localhost:8042/tools/metrics-prometheus").decode()
    lines = dict(re.findall(r"^(\w+) (\S+) \d{13}$", text, re.MULTILINE))
    assert len(lines) == len(text.splitlines())
    assert set(PRINTED) <= set(lines)
    assert int(lines["orthanc_count_instances"]) == len(samples.dicom_files("ct"))
    assert (lines["orthanc_count_series"], lines["orthanc_count_studies"]) == ("3", "1")


def test_collection_is_switched_off_and_on(page: Page) -> None:
    assert page.bash("curl http://localhost:8042/tools/metrics") == b"1"
    assert page.bash("curl http://localhost:8042/tools/metrics -X PUT -d '0'") == b""
    assert page.bash("curl http://localhost:8042/tools/metrics") == b"0"
    assert page.bash("curl http://localhost:8042/tools/metrics-prometheus") == b""
    assert page.bash("curl http://localhost:8042/tools/metrics -X PUT -d '1'") == b""
    assert page.bash("curl http://localhost:8042/tools/metrics") == b"1"
