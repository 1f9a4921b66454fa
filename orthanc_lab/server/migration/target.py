"""The server that is to have it all, opened without what serves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.server.assembly import dictionary_of, storage_options
from orthanc_lab.server.back_ends.local import LocalBackEnd
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage

__all__ = ["JobRows", "OpenTarget", "open_target"]

_NEVER = 1e9  # seconds


class JobRows(Protocol):
    """A list of jobs that no server works with now."""

    def rows(self) -> Sequence[JobRow]:
        """Return all jobs in the order of their submission."""
        ...

    def write(self, row: JobRow) -> None:
        """Add a job.

        Raises
        ------
        OrthancError
            If it cannot be in this list.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """What is written to."""

    storage: Storage
    jobs: JobRows | None  # None if the server saves none
    outputs: OutputStore


@contextmanager
def open_target(settings: CheckedSettings) -> Iterator[OpenTarget]:
    """Open what the server with these settings has; no other server may use it until this is left.

    Raises
    ------
    SourceError
        If servers run on its database.
    OrthancError
        11 if a server owns it, 18 if it is too new, or another code if it cannot be opened.
    """
    with ExitStack() as opened:
        environment = Environment.of_system()
        jobs: JobRows | None = None
        if settings["PostgreSQL"].get("EnableIndex"):
            # Only needed with the extra ``cluster``.
            from orthanc_lab.jobs.postgresql.moved_jobs import MovedJobs  # noqa: PLC0415
            from orthanc_lab.server.back_ends.shared import SharedBackEnd  # noqa: PLC0415
            from orthanc_lab.server.migration.shared_ends import check_idle  # noqa: PLC0415

            settings.change("PostgreSQL", {**settings["PostgreSQL"], "Lock": True})
            back_end: LocalBackEnd = (shared := SharedBackEnd(settings, environment))
            opened.callback(shared.close)
            check_idle(shared.database)
            jobs = MovedJobs(shared.database) if settings["SaveJobs"] else None
        else:
            back_end = LocalBackEnd(settings, environment)
        storage = back_end.open_storage(_options(settings, environment), NoMetrics())
        opened.callback(storage.close)
        if jobs is None and settings["SaveJobs"]:
            store = SqliteJobStore(Path(settings["IndexDirectory"]) / "jobs.sqlite")
            opened.callback(store.close)
            jobs = store
        yield OpenTarget(storage, jobs, back_end.open_outputs())


def _options(settings: CheckedSettings, environment: Environment) -> StorageOptions:
    memory = MemoryBudget(settings["MaximumUnpackedSize"] << 20, environment.clock)
    options = storage_options(settings, dictionary_of(settings), memory)
    # What is not stable yet becomes so at the server; a change that is logged here would take a number of the source.
    return replace(options, stable_age=_NEVER)
