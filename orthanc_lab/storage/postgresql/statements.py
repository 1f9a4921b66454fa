"""The SQL of the index, read from the two files beside this module."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.storage.named_queries import read_queries

__all__ = ["MIGRATIONS", "ROOM", "SQL"]

_FOLDER = Path(__file__).parent

ROOM = "index"
"""How the versions of the tables are called."""

MIGRATIONS = ((_FOLDER / "schema.sql").read_text("utf-8"),)
"""The statements that lead from each version of the tables to the next one."""

SQL: dict[str, str] = read_queries(_FOLDER / "queries.sql")
"""Each query by its name in ``queries.sql``."""
