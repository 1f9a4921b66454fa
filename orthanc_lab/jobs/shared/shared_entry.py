"""One job of a shared list, as a server holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.ports import Job, JobOutput
from orthanc_lab.jobs.rows import read_outputs, read_time
from orthanc_lab.jobs.shared.leases import status_of
from orthanc_lab.jobs.shared.records import SharedRow

__all__ = ["SharedEntry", "outputs_of"]


class SharedEntry(Entry):
    """A job with what is known of its row. A run of its own begins with each claim by this server.

    `job` is there while this server can go on with it: it has submitted it or runs it, and nobody has claimed it since.
    """

    __slots__ = ("awaited", "bound", "epoch", "fence", "holder", "lost", "server", "version")

    def __init__(self, row: SharedRow, job: Job | None = None) -> None:
        super().__init__(
            row.id,
            sequence=row.sequence,
            type=row.type,
            priority=row.priority,
            created=_creation(row),
            status=status_of(row),
            job=job,
        )
        self.saved = not row.bound
        self.bound = row.bound
        self.lost = False  # True once another server may run the job that is run here
        self.outputs = outputs_of(row)
        self.know(row)

    def know(self, row: SharedRow) -> None:
        """Take note of the row as it is now."""
        self.version = row.version
        self.fence = row.fence
        self.epoch = row.epoch
        self.holder = row.holder
        self.awaited = row.awaited
        self.server = row.server
        self.ticket = row.ticket

    @property
    def is_run_here(self) -> bool:
        """Whether a worker of this server has it."""
        return self.wake is not None


def outputs_of(row: SharedRow) -> Mapping[str, JobOutput]:
    """Return the outputs of a job; none if they cannot be read."""
    try:
        return read_outputs(row.outputs)
    except (ValueError, TypeError, AttributeError):
        return {}


def _creation(row: SharedRow) -> datetime:
    try:
        return read_time(row.created)
    except ValueError:
        return datetime.fromtimestamp(row.since, UTC)
