"""Transfers, which are jobs, as table rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orthanc_lab.client import Job
from orthanc_lab.widgets.jobs.job_rows import row

__all__ = ["TRANSFERS", "transfer_row"]

TRANSFERS = ("DicomModalityStore", "DicomMoveScu", "DicomGetScu")
"""The types of jobs that are transfers."""


def transfer_row(job: Job, now: datetime) -> dict[str, Any]:
    """Return a transfer as a table row, described by the nodes that take part in it."""
    return {**row(job, now), "words": job.error or _description(job)}


def _description(job: Job) -> str:
    content = job.content
    remote = content.get("RemoteAet", "")
    if job.type == "DicomModalityStore":
        return f"{content.get('InstancesCount', 0)} instances to {remote}"
    target = content.get("TargetAet")
    return f"from {remote} to {target}" if target else f"from {remote}"
