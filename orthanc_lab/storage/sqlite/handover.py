"""The index on SQLite, read to be moved away from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.sqlite.connections import Connect, Readers
from orthanc_lab.storage.sqlite.log_queries import LogQueries
from orthanc_lab.storage.sqlite.resource_queries import ResourceQueries
from orthanc_lab.storage.sqlite.statements import SQL, VERSION
from orthanc_lab.storage.transaction import Key

__all__ = ["SqliteHandover"]


class SqliteHandover(ResourceQueries, LogQueries):
    """`orthanc_lab.storage.handover.Handover` in one file.

    Parameters
    ----------
    connect
        Opens a connection to the file that writes nothing.

    Raises
    ------
    OrthancError
        18 if another version of this program wrote the index, 11 if the file is not an index.
    """

    def __init__(self, path: Path, connect: Connect) -> None:
        super().__init__(Readers(path, connect))
        try:
            version = self._readers.fetch("PRAGMA user_version")[0][0]
            if version != VERSION:
                text = f"The index {path} has version {version}, expected {VERSION}"
                raise OrthancError(ErrorCode.INCOMPATIBLE_DATABASE_VERSION, text)
        except BaseException:
            self.close()
            raise

    def count(self) -> int:
        """Return how many instances there are."""
        number: int = self._readers.fetch("SELECT instances FROM totals")[0][0]
        return number

    def instances_after(self, key: Key, limit: int) -> Sequence[tuple[Key, str]]:
        """Return the next instances in the order in which they were stored, with their keys."""
        return self._readers.fetch(SQL["instances_after"], (key, limit))

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last change and of the last export ever logged."""
        change, export = self._readers.fetch("SELECT last_change, last_export FROM totals")[0]
        return change, export

    def recycling(self) -> Sequence[str]:
        """Return the patients that may be recycled, the first one first."""
        return [id for (id,) in self._readers.fetch(SQL["recycling"])]

    def counters(self) -> Mapping[str, int]:
        """Return what the named counters have reached."""
        return dict(self._readers.fetch("SELECT name, value FROM counters"))

    def properties(self) -> Mapping[str, str]:
        """Return all global properties."""
        return dict(self._readers.fetch("SELECT name, value FROM properties"))

    def close(self) -> None:
        """Close the connections."""
        self._readers.close()
