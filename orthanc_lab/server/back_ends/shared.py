"""A database that several servers may share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.part_area import PartArea
from orthanc_lab.jobs.ports import JobsService, Restore
from orthanc_lab.jobs.postgresql.outputs import PostgresqlOutputs
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Settings, SystemClock
from orthanc_lab.rest.server.system import server_identifier
from orthanc_lab.server.back_ends.distant_pieces import DistantPieces
from orthanc_lab.server.back_ends.file_places import bucket_options, open_file_place
from orthanc_lab.server.back_ends.local import LocalBackEnd, files_beside_index
from orthanc_lab.server.back_ends.shared_jobs import open_shared_jobs
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.files.late_files import LateArea
from orthanc_lab.storage.opening import make_storage_folder
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage
from orthanc_lab.storage.postgresql_files.area import DatabaseArea

__all__ = ["SharedBackEnd"]

_MOMENT = 1.0  # seconds


class SharedBackEnd(LocalBackEnd):
    """`orthanc_lab.server.back_ends.port.BackEnd` on PostgreSQL."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        super().__init__(settings, environment)
        self.database = Database(
            PostgresqlOptions.of_section(settings["PostgreSQL"]),
            settings["Name"] or "orthanc-lab",
            clock=environment.clock,
        )
        self._files: FileArea = DiskArea(Path(settings["StorageDirectory"]))
        self._pieces: PartArea = self._files  # of outputs
        self._outputs: PostgresqlOutputs | None = None
        self._cluster: Callable[[], Cluster] | None = None

    def open_storage(self, options: StorageOptions, metrics: Metrics) -> Storage:
        """Open the index in the database, and the files."""
        environment = self._environment
        folder = Path(self._settings["StorageDirectory"])
        index_folder = Path(self._settings["IndexDirectory"])
        for needed in (folder, index_folder):
            make_storage_folder(needed)
        files = open_file_place(
            folder,
            bucket_options(self._settings),
            environment.clock,
            self._table_of_files(),
            is_written=not self._settings["ReadOnly"],
        )
        self._files = environment.file_area(files.area)
        self._pieces = DistantPieces(LateArea(self._files, environment.clock)) if files.is_elsewhere else self._files
        return open_shared_storage(
            self.database,
            self._files,
            places={name: environment.file_area(area) for name, area in files.parts.items()},
            is_elsewhere=files.is_elsewhere,
            options=options,
            clock=environment.clock,
            executor=environment.executor,
            identifiers=environment.identifiers,
            metrics=metrics,
        )

    def _table_of_files(self) -> DatabaseArea | None:
        return DatabaseArea(self.database) if self.database.options.enable_storage else None

    def open_outputs(self) -> OutputStore:
        """Open the outputs of jobs: their parts are in the database, their bytes where the files are."""
        if not self._settings["SaveJobs"]:
            return self.own_files("jobs-outputs", "")
        self._outputs = PostgresqlOutputs(self.database, self._pieces, self._environment.identifiers, SystemClock())
        return self._outputs

    def own_files(self, name: str, suffix: str) -> FileOutputs:
        """Open files of this server alone: the folder beside the index may be that of several servers."""
        mark = hashlib.sha1(server_identifier(self._settings).encode(), usedforsecurity=False).hexdigest()[:16]
        return files_beside_index(self._settings, self._environment.identifiers, f"{name}-{mark}", f"{suffix}-{mark}")

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
        if self._outputs is None:
            return super().open_jobs(outputs, restores, load_jobs=load_jobs, on_error=on_error)
        jobs = open_shared_jobs(
            self.database,
            settings,
            environment,
            outputs,
            restores,
            load_jobs=load_jobs,
            tidy=self._outputs.sweep,
            on_error=on_error,
        )
        self._cluster = jobs.cluster
        return jobs

    @property
    def cluster(self) -> Callable[[], Cluster] | None:
        """What tells which servers share the list of jobs; None if jobs are not saved."""
        return self._cluster

    def check(self) -> None:
        """Ask the database, which may be away."""
        self.database.read(lambda connection: connection.execute("SELECT"), within=_MOMENT)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
