"""A database that several servers may share."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.protocol.private_files import make_private_folder
from orthanc_lab.server.back_ends.local import LocalBackEnd
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.journal import FileJournal
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage

__all__ = ["SharedBackEnd"]


class SharedBackEnd(LocalBackEnd):
    """`orthanc_lab.server.back_ends.port.BackEnd` on PostgreSQL."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        super().__init__(settings, environment)
        self.database = Database(
            PostgresqlOptions.of_section(settings["PostgreSQL"]), settings["Name"] or "orthanc-lab"
        )

    def open_storage(self, options: StorageOptions, metrics: Metrics) -> Storage:
        """Open the index in the database, and the files."""
        environment = self._environment
        folder = Path(self._settings["StorageDirectory"])
        index_folder = Path(self._settings["IndexDirectory"])
        for needed in (folder, index_folder):
            make_private_folder(needed)
        return open_shared_storage(
            self.database,
            environment.file_area(folder),
            FileJournal(environment.open_log(index_folder / "files.journal")),
            options=options,
            clock=environment.clock,
            executor=environment.executor,
            identifiers=environment.identifiers,
            metrics=metrics,
        )

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
