"""Telling a job of a shared list that it is not run here any more."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.jobs.leaving import stop_job
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.store import SharedJobStore

__all__ = ["stop_shared_job"]


def stop_shared_job(
    store: SharedJobStore, entry: SharedEntry, reason: StopReason, on_error: Callable[[BaseException], None]
) -> None:
    """Let a job release what it holds, as `stop_job` does, on behalf of what is known of it.

    Whatever thread this is on: if others have gone on with the job meanwhile, nothing of theirs is touched.
    """
    with store.acting_for(entry.sequence, entry.fence):
        stop_job(entry, reason, on_error)
