"""The SQL of the index, read from the files beside this module."""

from __future__ import annotations

from orthanc_lab.storage.named_queries import read_queries, read_text

__all__ = ["SCHEMA", "SEARCH_INDEXES", "SQL", "VERSION"]

VERSION = 1
"""Kept in ``PRAGMA user_version``; an index of another version is refused."""

_PACKAGE = "orthanc_lab.storage.sqlite"

SCHEMA = read_text(_PACKAGE, "schema.sql")
"""The statements that make the tables."""

SEARCH_INDEXES = read_text(_PACKAGE, "search_indexes.sql")
"""Those that make what only speeds searches up, where it is missing."""

SQL: dict[str, str] = read_queries(_PACKAGE, "queries.sql")
"""Each query by its name in ``queries.sql``."""
