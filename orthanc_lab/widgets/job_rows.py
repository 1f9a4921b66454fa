"""Jobs as rows of a table; what may be done with the selected ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from orthanc_lab.client import Job
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.elements.table import Column

__all__ = ["COLUMNS", "CONTROLS", "allowed", "row"]

COLUMNS = (
    Column("state", "State"),
    Column("type", "Type"),
    Column("progress", "Progress", "progress"),
    Column("priority", "Priority", "number"),
    Column("created", "Created (UTC)"),
    Column("elapsed", "Elapsed", "number"),
    Column("left", "Left", "number"),
    Column("words", "Description"),
)

CONTROLS: dict[str, frozenset[JobState]] = {
    "cancel": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY, JobState.PAUSED}),
    "pause": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY}),
    "resume": frozenset({JobState.PAUSED}),
    "resubmit": frozenset({JobState.FAILURE}),
    "delete": frozenset({JobState.SUCCESS, JobState.FAILURE}),
}
"""The states in which a job takes each control; in others Orthanc refuses it."""


def row(job: Job, now: datetime) -> dict[str, Any]:
    """Return a job as a row of the table."""
    end = job.completed or now
    return {
        "id": job.id,
        "state": job.state.value,
        "type": job.type,
        "progress": job.progress,
        "priority": job.priority,
        "created": f"{job.created:%H:%M:%S}" if job.created else "",
        "elapsed": _span(end - job.created) if job.created else "",
        "left": _span(job.eta - now) if job.eta and not job.state.is_final else "",
        "words": job.error or str(job.content.get("Description", "")),
    }


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def allowed(control: str, jobs: Iterable[Job]) -> list[Job]:
    """Return those of the jobs that take a control in their present state."""
    return [job for job in jobs if job.state in CONTROLS[control]]
