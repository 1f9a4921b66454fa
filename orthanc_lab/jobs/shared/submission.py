"""Taking new jobs into the list that servers share."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.jobs.machine import Moment, Status
from orthanc_lab.jobs.ports import Job
from orthanc_lab.jobs.rows import frozen_copy, write_status
from orthanc_lab.jobs.shared.idle_workers import IdleWorkers
from orthanc_lab.jobs.shared.mirror import Awaited, Mirror
from orthanc_lab.jobs.shared.records import NewJob
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.store import SharedJobStore
from orthanc_lab.protocol.json_text import dumps
from orthanc_lab.protocol.ports import Identifiers

__all__ = ["Submission"]


class Submission:
    """Writes jobs down, and lets them wait for a worker of any server.

    Parameters
    ----------
    idle
        The workers of this server that wait for a job; if there is none, others are told of a new one.
    now
        The time of a submission.
    epoch
        Returns the epoch of this server's lease, or raises.
    """

    def __init__(
        self,
        store: SharedJobStore,
        mirror: Mirror,
        identifiers: Identifiers,
        idle: IdleWorkers,
        *,
        now: Callable[[], Moment],
        epoch: Callable[[], int],
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._identifiers = identifiers
        self._idle = idle
        self._now = now
        self._epoch = epoch

    def submit(self, job: Job, priority: int, awaited: Awaited | None) -> SharedEntry:
        """Take a job in; `awaited` is told its end.

        Raises
        ------
        OrthancError
            36 or 11 if it cannot be written down.
        """
        now = self._now()
        payload = job.serialize()
        status = Status(content=frozen_copy(job.content()), since=now.seconds)
        announced = not self._idle.has_some and payload is not None
        row = None
        while row is None:  # seeded identifiers may be those of another server
            new = NewJob(
                self._identifiers.uuid(),
                job.type,
                priority,
                now.utc.isoformat(),
                write_status(status),
                now.seconds,
                None if payload is None else dumps(payload),
                self._epoch(),
                awaited=awaited is not None,
                announced=announced,
            )
            self._mirror.expect(new.id, job, awaited)
            try:
                row = self._store.insert(new)
            finally:
                if row is None:
                    self._mirror.disregard(new.id)
        entry = self._mirror.learn(row) or SharedEntry(row)
        self._idle.wake_one()
        return entry
