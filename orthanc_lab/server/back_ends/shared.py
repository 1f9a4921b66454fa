"""A database that several servers may share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobsService, Restore
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.server.back_ends.local import LocalBackEnd
from orthanc_lab.server.back_ends.shared_jobs import open_shared_jobs
from orthanc_lab.server.environment import Environment

__all__ = ["SharedBackEnd"]


class SharedBackEnd(LocalBackEnd):
    """`orthanc_lab.server.back_ends.port.BackEnd` on PostgreSQL."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        super().__init__(settings, environment)
        self._cluster: Callable[[], Cluster] | None = None
        self.database = Database(
            PostgresqlOptions.of_section(settings["PostgreSQL"]), settings["Name"] or "orthanc-lab"
        )

    def open_jobs(
        self,
        outputs: OutputStore,
        restores: Mapping[str, Restore],
        *,
        load_jobs: bool,
        on_error: Callable[[BaseException], None],
    ) -> JobsService:
        """Open the list of jobs: in the database, unless jobs are not to be saved."""
        settings, environment = self._settings, self._environment
        if not settings["SaveJobs"]:
            return super().open_jobs(outputs, restores, load_jobs=load_jobs, on_error=on_error)
        jobs = open_shared_jobs(
            self.database, settings, environment, outputs, restores, load_jobs=load_jobs, on_error=on_error
        )
        self._cluster = jobs.cluster
        return jobs

    @property
    def cluster(self) -> Callable[[], Cluster] | None:
        """What tells which servers share the list of jobs; None if jobs are not saved."""
        return self._cluster

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
