"""The index on PostgreSQL, read to be moved away from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.storage.postgresql.log_queries import LogQueries
from orthanc_lab.storage.postgresql.resource_queries import ResourceQueries
from orthanc_lab.storage.postgresql.statements import MIGRATIONS, ROOM, SQL
from orthanc_lab.storage.postgresql.text import restored
from orthanc_lab.storage.transaction import Key

__all__ = ["PostgresqlHandover"]


class PostgresqlHandover(ResourceQueries, LogQueries):
    """`orthanc_lab.storage.handover.Handover` in a database.

    Raises
    ------
    OrthancError
        18 if another version of this program wrote the tables.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        database.read(lambda connection: migrate(connection, ROOM, MIGRATIONS))

    def count(self) -> int:
        """Return how many instances there are."""
        return self.statistics().instances

    def instances_after(self, key: Key, limit: int) -> Sequence[tuple[Key, str]]:
        """Return the next instances in the order in which they were stored, with their keys."""
        return self._fetch(SQL["instances_after"], (key, limit))

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last change and of the last export ever logged."""
        change, export = self._fetch("SELECT last_change, last_export FROM totals ORDER BY version DESC LIMIT 1")[0]
        return change, export

    def recycling(self) -> Sequence[str]:
        """Return the patients that may be recycled, the first one first."""
        return [id for (id,) in self._fetch(SQL["recycling"])]

    def counters(self) -> Mapping[str, int]:
        """Return what the named counters have reached."""
        return {restored(name): value for name, value in self._fetch("SELECT name, value FROM counters")}

    def properties(self) -> Mapping[str, str]:
        """Return all global properties."""
        found = self._fetch("SELECT name, value FROM properties")
        return {restored(name): restored(value) for name, value in found}
