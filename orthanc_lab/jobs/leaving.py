"""Telling a job that it is not run any more."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.ports import StopReason

__all__ = ["stop_job"]


def stop_job(entry: Entry, reason: StopReason, on_error: Callable[[BaseException], None]) -> None:
    """Let a job release what it holds, once for each reason; what it raises goes to `on_error`."""
    if entry.job is None or entry.stopped_for is reason:
        return
    try:
        entry.job.stop(reason)
    except Exception as error:
        on_error(error)
    entry.stopped_for = reason
