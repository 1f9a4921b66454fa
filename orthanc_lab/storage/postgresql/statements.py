"""The SQL of the index, read from the two files beside this module."""

from __future__ import annotations

from orthanc_lab.storage.named_queries import read_queries, read_text

__all__ = ["MIGRATIONS", "ROOM", "SQL"]

_PACKAGE = "orthanc_lab.storage.postgresql"

ROOM = "index"
"""How the versions of the tables are called."""

MIGRATIONS = (read_text(_PACKAGE, "schema.sql"),)
"""The statements that lead from each version of the tables to the next one."""

SQL: dict[str, str] = read_queries(_PACKAGE, "queries.sql")
"""Each query by its name in ``queries.sql``."""
