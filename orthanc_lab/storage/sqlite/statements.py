"""The SQL of the index, read from the files beside this module."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.storage.named_queries import read_queries

__all__ = ["SCHEMA", "SEARCH_INDEXES", "SQL", "VERSION"]

VERSION = 1
"""Kept in ``PRAGMA user_version``; an index of another version is refused."""

_FOLDER = Path(__file__).parent

SCHEMA = (_FOLDER / "schema.sql").read_text("utf-8")
"""The statements that make the tables."""

SEARCH_INDEXES = (_FOLDER / "search_indexes.sql").read_text("utf-8")
"""Those that make what only speeds searches up, where it is missing."""

SQL: dict[str, str] = read_queries(_FOLDER / "queries.sql")
"""Each query by its name in ``queries.sql``."""
