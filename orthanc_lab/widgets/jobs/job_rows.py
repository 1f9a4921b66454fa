"""Jobs as table rows, and what can be done with the selected ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from orthanc_lab.client import Job
from orthanc_lab.client.display import amount, counted
from orthanc_lab.protocol.errors import ErrorCode
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.elements.table import Column, Tone
from orthanc_lab.widgets.elements.toolbar import Tool

__all__ = ["COLUMNS", "COLUMNS_OF_SEVERAL", "CONTROLS", "TOOLS", "allowed", "has_made", "has_output", "offers", "row"]

_SIGNS: dict[str, tuple[str, Tone]] = {
    "Pending": ("hourglass-start", "waiting"),
    "Running": ("play", "busy"),
    "Paused": ("pause", "waiting"),
    "Retry": ("refresh", "waiting"),
    "Success": ("check", "good"),
    "Failure": ("times", "bad"),
    "Canceled": ("ban", "waiting"),
}

COLUMNS = (
    Column("state", "State", "badge", _SIGNS),
    Column("type", "Type"),
    Column("progress", "Progress", "progress"),
    Column("priority", "Priority", "number"),
    Column("created", "Created (UTC)", "time"),
    Column("elapsed", "Elapsed", "span"),
    Column("left", "Left", "span"),
    Column("words", "Description", "words"),
)

COLUMNS_OF_SEVERAL = (*COLUMNS[:2], Column("server", "Server"), *COLUMNS[2:])
"""The columns where several servers share the list of jobs."""

CONTROLS: dict[str, frozenset[JobState]] = {
    "cancel": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY, JobState.PAUSED}),
    "pause": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY}),
    "resume": frozenset({JobState.PAUSED}),
    "resubmit": frozenset({JobState.FAILURE}),
    "delete": frozenset({JobState.SUCCESS, JobState.FAILURE}),
}
"""The states in which each control is possible; Orthanc refuses it in the others."""

TOOLS = (
    Tool("cancel", "Cancel", "times", "Cancel the selected jobs that have not ended"),
    Tool("pause", "Pause", "pause", "Pause the selected jobs"),
    Tool("resume", "Resume", "play", "Continue the selected jobs that are paused"),
    Tool("resubmit", "Resubmit", "repeat", "Run the selected jobs that failed again (archives and media cannot be)"),
    Tool("delete", "Delete", "trash", "Remove the selected jobs that have ended, with their outputs"),
)

_CONFIRMED = ("cancel", "delete")  # cannot be undone
_OF_ALL = "REST API"  # Orthanc's description of every job that a client has asked for
_WITH_OUTPUT = ("Archive", "Media")


def row(job: Job, now: datetime, server: str = "") -> dict[str, Any]:
    """Return a job as a table row."""
    return {
        "id": job.id,
        "state": "Canceled" if _is_canceled(job) else job.state.value,
        "type": job.type,
        "server": server,
        "progress": job.progress,
        "priority": job.priority,
        "created": f"{job.created:%Y-%m-%dT%H:%M:%S}" if job.created else "",
        "elapsed": _elapsed(job, now),
        "left": max(0, int((job.eta - now).total_seconds())) if job.eta and not job.state.is_final else None,
        "words": "" if _is_canceled(job) else job.error or _words(job),
    }


def _is_canceled(job: Job) -> bool:
    # A job that was submitted again keeps the code of its last run until it has ended.
    return job.state is JobState.FAILURE and job.document.get("ErrorCode") == ErrorCode.CANCELED_JOB


def _words(job: Job) -> str:
    content = job.content
    if job.type in _WITH_OUTPUT and "InstancesCount" in content:
        count, size = int(content["InstancesCount"]), int(content.get("UncompressedSize", 0))
        return f"{_instances(count)}, {amount(size)} before compression"
    description = str(content.get("Description", ""))
    if description != _OF_ALL:
        return description
    return _instances(int(content["InstancesCount"])) if "InstancesCount" in content else ""


def _instances(count: int) -> str:
    return counted(count, "instance", "instances")


def _elapsed(job: Job, now: datetime) -> float | None:
    if job.created is None:
        return None
    if job.completed is None:
        return max(0, int((now - job.created).total_seconds()))
    return max(0.0, round((job.completed - job.created).total_seconds(), 2))


def allowed(control: str, jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs for which a control is possible in their current state."""
    jobs = [job for job in jobs if job.state in CONTROLS[control]]
    if control == "resubmit":
        return [job for job in jobs if job.type not in _WITH_OUTPUT]  # "Cannot resubmit the creation of an archive"
    return jobs


def has_output(job: Job) -> bool:
    """Return whether the job has made a file; the server may have removed it by now."""
    return job.state is JobState.SUCCESS and job.type in _WITH_OUTPUT


def has_made(job: Job) -> bool:
    """Return whether the job has made resources: it modified, anonymized, split or merged."""
    return job.state is JobState.SUCCESS and not job.content.keys().isdisjoint(("Resources", "Path", "TargetStudy"))


def offers(jobs: Sequence[Job]) -> dict[str, str]:
    """Return the controls possible for any of the jobs, each with its confirmation question ("" for none)."""
    found = {}
    for control in CONTROLS:
        count = len(allowed(control, jobs))
        if count:
            is_confirmed = control in _CONFIRMED and count > 1
            found[control] = f"{control.capitalize()} {count} jobs? This cannot be undone." if is_confirmed else ""
    return found
