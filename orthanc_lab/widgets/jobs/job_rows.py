"""Jobs as rows of a table; what may be done with the selected ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from orthanc_lab.client import Job
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.elements.table import Column, Tone
from orthanc_lab.widgets.elements.toolbar import Tool

__all__ = ["COLUMNS", "CONTROLS", "TOOLS", "allowed", "has_output", "offers", "row"]

_SIGNS: dict[str, tuple[str, Tone]] = {
    "Pending": ("hourglass-start", "waiting"),
    "Running": ("play", "busy"),
    "Paused": ("pause", "waiting"),
    "Retry": ("refresh", "waiting"),
    "Success": ("check", "good"),
    "Failure": ("times", "bad"),
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

CONTROLS: dict[str, frozenset[JobState]] = {
    "cancel": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY, JobState.PAUSED}),
    "pause": frozenset({JobState.PENDING, JobState.RUNNING, JobState.RETRY}),
    "resume": frozenset({JobState.PAUSED}),
    "resubmit": frozenset({JobState.FAILURE}),
    "delete": frozenset({JobState.SUCCESS, JobState.FAILURE}),
}
"""The states in which a job takes each control; in others Orthanc refuses it."""

TOOLS = (
    Tool("cancel", "Cancel", "times", "Cancel the selected jobs that have not ended"),
    Tool("pause", "Pause", "pause", "Pause the selected jobs"),
    Tool("resume", "Resume", "play", "Let the selected jobs that are paused go on"),
    Tool("resubmit", "Resubmit", "repeat", "Run the selected jobs that failed again (archives and media cannot be)"),
    Tool("delete", "Delete", "trash", "Remove the selected jobs that have ended, with their outputs"),
)

_ASKED_BEFORE = ("cancel", "delete")  # there is no way back
_WITH_OUTPUT = ("Archive", "Media")


def row(job: Job, now: datetime) -> dict[str, Any]:
    """Return a job as a row of the table."""
    return {
        "id": job.id,
        "state": job.state.value,
        "type": job.type,
        "progress": job.progress,
        "priority": job.priority,
        "created": f"{job.created:%Y-%m-%dT%H:%M:%S}" if job.created else "",
        "elapsed": _elapsed(job, now),
        "left": max(0, int((job.eta - now).total_seconds())) if job.eta and not job.state.is_final else None,
        "words": job.error or str(job.content.get("Description", "")),
    }


def _elapsed(job: Job, now: datetime) -> float | None:
    if job.created is None:
        return None
    if job.completed is None:
        return max(0, int((now - job.created).total_seconds()))
    return max(0.0, round((job.completed - job.created).total_seconds(), 2))


def allowed(control: str, jobs: Iterable[Job]) -> list[Job]:
    """Return those of the jobs that take a control in their present state."""
    jobs = [job for job in jobs if job.state in CONTROLS[control]]
    if control == "resubmit":
        return [job for job in jobs if job.type not in _WITH_OUTPUT]  # "Cannot resubmit the creation of an archive"
    return jobs


def has_output(job: Job) -> bool:
    """Return whether the job has made a file; the server may have removed it since."""
    return job.state is JobState.SUCCESS and job.type in _WITH_OUTPUT


def offers(jobs: Sequence[Job]) -> dict[str, str]:
    """Return the controls that some of the jobs take, each with the question to ask before ("" for none)."""
    found = {}
    for control in CONTROLS:
        count = len(allowed(control, jobs))
        if count:
            is_asked = control in _ASKED_BEFORE and count > 1
            found[control] = f"{control.capitalize()} {count} jobs? This cannot be undone." if is_asked else ""
    return found
