"""Look-ups on an index that may be closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Reading"]


class Reading:
    """Fetches rows until it is closed; the connections belong to the database, which others use, too."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closed = False

    def close(self) -> None:
        """Answer no more."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise OrthancError(ErrorCode.DATABASE, "The index is closed")

    def _fetch(self, query: str, parameters: Sequence[Any] = (), *, binary: bool = False) -> list[Any]:
        self._check_open()
        return self._database.fetch(query, parameters, binary=binary)
