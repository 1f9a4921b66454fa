"""Making the jobs again from what is on disk. What cannot be read is kept as a failure, never dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Status
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Job, JobOutput, Restore
from orthanc_lab.jobs.rows import read_outputs, read_status, read_time
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.jobs.worker import report_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.json_text import loads

__all__ = ["make_job", "restore_entry"]


class MissingKind(OrthancError):
    """There is no kind of job of this type now; there may be one at the next start."""


def restore_entry(
    row: JobRow,
    restores: Mapping[str, Restore],
    outputs: OutputStore,
    now: datetime,
    on_error: Callable[[Exception], None],
) -> tuple[Entry, bool]:
    """Return the entry of a job on disk, and whether it is sound.

    One that is not, or that could still run but cannot be made again, is a Failure with the reason. What is on disk of
    one whose kind is missing is sound: it goes on at the first start at which the kind is there.
    """
    kept: Mapping[str, JobOutput] = {}
    sound = True
    try:
        status = read_status(row.state, row.status)
        kept = read_outputs(row.outputs, outputs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        on_error(error)
        status = _failed(Status(), ErrorCode.CORRUPTED_FILE, "The saved status of this job cannot be read", now)
        sound = False
    created = _creation(row, now)
    entry = Entry(row.id, sequence=row.sequence, type=row.type, priority=row.priority, created=created, status=status)
    entry.outputs = kept
    entry.saved = True
    if not status.state.is_final:
        try:
            entry.payload, entry.job = make_job(row.type, row.payload, row.position, restores)
            # A command may have been saved later than the last note.
            entry.status = _as_far_as_it_is(status, entry.job)
        except OrthancError as error:
            on_error(error)
            entry.status = _failed(status, error.code, error.details, now)
            entry.lacks_kind = isinstance(error, MissingKind)
            sound = entry.lacks_kind
    return entry, sound


def make_job(
    kind: str, saved: str | None, changed: str | None, restores: Mapping[str, Restore]
) -> tuple[dict[str, Any], Job]:
    """Return a job with its payload as it was submitted.

    Parameters
    ----------
    kind
        Its type.
    saved, changed
        Its payload and its position, as they were written down.

    Raises
    ------
    OrthancError
        2 if no kind of job has this type, 6 if the job was not saved, 20 if what was saved
        cannot be read, or what the kind itself raises.
    """
    restore = restores.get(kind)
    if restore is None:
        raise MissingKind(ErrorCode.NOT_IMPLEMENTED, f"Unknown type of job: {kind}; its extension may be missing")
    if saved is None:
        raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "This job was not saved, and cannot be run again")
    try:
        payload = loads(saved)
        position = loads(changed) if changed else {}
        return payload, restore({**payload, **position})
    except OrthancError:
        raise
    except Exception as error:
        text = f"The saved job cannot be read: {type(error).__name__}: {error}"
        raise OrthancError(ErrorCode.CORRUPTED_FILE, text) from error


def _as_far_as_it_is(status: Status, job: Job) -> Status:
    try:
        report = report_of(job)
    except Exception as error:
        text = f"The saved job cannot be read: {type(error).__name__}: {error}"
        raise OrthancError(ErrorCode.CORRUPTED_FILE, text) from error
    return replace(status, progress=report.progress, content=report.content)


def _creation(row: JobRow, now: datetime) -> datetime:
    try:
        return read_time(row.created)
    except (ValueError, TypeError):
        return now.astimezone(UTC)


def _failed(status: Status, code: int, details: str, now: datetime) -> Status:
    return Status(
        state=JobState.FAILURE,
        progress=status.progress,
        content=status.content,
        error_code=int(code),
        error_details=details,
        runtime=status.runtime,
        completion_time=now,
    )
