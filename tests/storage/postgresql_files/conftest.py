"""A database for all tests of a module."""

from __future__ import annotations

from tests.postgresql.conftest import database, shared_database

__all__ = ["database", "shared_database"]
