"""One job as the engine holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from orthanc_lab.jobs.machine import Moment, Status
from orthanc_lab.jobs.ports import Job, JobOutput, JobView, StopReason
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Happening
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Entry"]


class Entry:
    """A job with its status; the status is replaced, never changed.

    `lock` is held during a move from one status to the next, so that a job makes one
    move at a time. Reading `status` needs no lock.
    """

    __slots__ = (
        "_shown",
        "created",
        "ended",
        "id",
        "interrupted",
        "job",
        "lacks_kind",
        "lock",
        "next_note",
        "outputs",
        "payload",
        "priority",
        "saved",
        "sequence",
        "status",
        "steps",
        "stopped_for",
        "ticket",
        "type",
        "unwritten",
        "waits",
        "wake",
        "worker",
    )

    def __init__(
        self,
        id: str,
        *,
        sequence: int,
        type: str,
        priority: int,
        created: datetime,
        status: Status,
        job: Job | None = None,
    ) -> None:
        self.id = id
        self.sequence = sequence  # order of submission
        self.type = type
        self.priority = priority
        self.created = created
        self.job = job  # None for one that was restored to the history, or succeeded
        self.status = status
        self.lacks_kind = False  # True for a Failure that may go on at another start, where its kind is there
        self.saved = False  # True once it is in the list on disk
        self.payload: Mapping[str, Any] | None = None  # as submitted; read back from disk with the first note
        self.next_note = 0.0  # monotonic
        self.outputs: Mapping[str, JobOutput] = {}
        self.lock = threading.Lock()
        self.ended: Happening | None = None  # for a caller that waits
        self.unwritten: OrthancError | None = None  # why that caller waits no more, although the job has not ended
        self.ticket: int | None = None  # its number among those that wait for a worker
        self.wake: Callable[[], None] | None = None  # the worker that runs it, if that waits
        self.worker = 0  # the number of the worker that runs it, from 1
        self.steps = 0  # done since it was submitted, or restored
        self.waits = False  # whether its last step could do nothing yet
        self.interrupted = False  # True once its step was broken off, because the engine stops
        self.stopped_for: StopReason | None = None  # the last reason that the job was given
        self._shown: tuple[Status, JobView] | None = None

    def view(self, now: Callable[[], Moment]) -> JobView:
        """Return what one can see of the job; the same object again while nothing changed."""
        status, shown = self.status, self._shown
        if shown is not None and shown[0] is status:
            return shown[1]
        if status.state is JobState.RUNNING:
            # While a job runs, only the time since its last step is shown, as Orthanc 1.12.7 does.
            at = now()
            runtime = round(max(at.seconds - status.since, 0), 3)
            return self._view(status, runtime, _eta(status.progress, runtime, at))
        view = self._view(status, round(status.runtime, 3), None)
        self._shown = (status, view)
        return view

    def view_of_end(self, status: Status) -> JobView:
        """Return what one can see of the job in a final status, also if it is forgotten by now."""
        return self._view(status, round(status.runtime, 3), None)

    def _view(self, status: Status, runtime: float, eta: datetime | None) -> JobView:
        return JobView(
            id=self.id,
            type=self.type,
            state=status.state,
            priority=self.priority,
            progress=int(status.progress * 100 + 0.5),
            creation_time=self.created,
            completion_time=status.completion_time,
            eta=eta,
            runtime=runtime,
            error_code=status.error_code,
            error_details=status.error_details,
            content=dict(status.content),
        )


def _eta(progress: float, runtime: float, at: Moment) -> datetime | None:
    if progress <= 0.01 or runtime <= 0:
        return None
    return at.utc + timedelta(seconds=runtime / progress * (1 - progress))
