"""A database that several servers may share."""

from __future__ import annotations

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.server.back_ends.local import LocalBackEnd
from orthanc_lab.server.environment import Environment

__all__ = ["SharedBackEnd"]


class SharedBackEnd(LocalBackEnd):
    """`orthanc_lab.server.back_ends.port.BackEnd` on PostgreSQL."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        super().__init__(settings, environment)
        self.database = Database(
            PostgresqlOptions.of_section(settings["PostgreSQL"]), settings["Name"] or "orthanc-lab"
        )

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
