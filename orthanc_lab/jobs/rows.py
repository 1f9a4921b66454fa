"""How a job is written down: its status, its outputs and its payload as JSON text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orthanc_lab.jobs.machine import Status
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.json_text import dumps, loads

__all__ = [
    "changed_keys",
    "frozen_copy",
    "read_outputs",
    "read_status",
    "read_time",
    "write_outputs",
    "write_status",
]


def write_status(status: Status) -> str:
    """Return a status as JSON; the state has its own column."""
    document = {
        "progress": status.progress,
        "content": status.content,
        "error": [status.error_code, status.error_details],
        "runtime": status.runtime,
        "completed": status.completion_time.isoformat() if status.completion_time else None,
        "asked": [status.pausing, status.canceling],
    }
    return dumps(document)


def read_status(state: str, text: str) -> Status:
    """Read back what `write_status` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the text was written by something else.
    """
    document = loads(text)
    code, details = document["error"]
    pausing, canceling = document["asked"]
    completed = document["completed"]
    return Status(
        state=JobState(state),
        progress=float(document["progress"]),
        content=dict(document["content"]),
        error_code=int(code),
        error_details=str(details),
        runtime=float(document["runtime"]),
        completion_time=read_time(completed) if completed else None,
        pausing=bool(pausing),
        canceling=bool(canceling),
    )


def read_time(text: str) -> datetime:
    """Read a time of the list of jobs.

    Raises
    ------
    ValueError, TypeError
        If it is not an ISO 8601 time with a time zone.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time


def write_outputs(outputs: Mapping[str, JobOutput]) -> str:
    """Return the outputs as JSON, by their names in the output store; small ones with their content."""
    if not outputs:
        return "{}"
    return dumps({key: _written(item) for key, item in outputs.items()})


def _written(output: JobOutput) -> list[str]:
    columns = [output.name, output.content_type, output.filename]
    return columns if output.content is None else [*columns, b64encode(output.content).decode()]


def read_outputs(text: str, store: OutputStore | None = None) -> dict[str, JobOutput]:
    """Read the outputs back; if the output store is given, without those that are gone from it.

    Raises
    ------
    ValueError, TypeError, AttributeError
        If the text was written by something else.
    """
    if text == "{}":
        return {}
    listed = {key: _read(*columns) for key, columns in loads(text).items()}
    if store is None:
        return listed
    return {key: it for key, it in listed.items() if it.content is not None or store.size(it.name) is not None}


def _read(name: str, content_type: str, filename: str, content: str | None = None) -> JobOutput:
    return JobOutput(name, content_type, filename, None if content is None else b64decode(content))


def frozen_copy(value: Any) -> Any:
    """Return a deep copy of JSON values, so that later changes by the job do not show.

    Raises
    ------
    TypeError
        If a value cannot be written as JSON.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {key: frozen_copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [frozen_copy(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def changed_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a payload whose values have changed since its submission."""
    missing = object()
    return {key: value for key, value in now.items() if before.get(key, missing) != value}
