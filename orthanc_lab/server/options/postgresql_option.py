"""The option ``PostgreSQL``: the section of Orthanc's plug-in."""

from __future__ import annotations

from typing import Any

from orthanc_lab.postgresql.options import FIELDS, PostgresqlOptions

__all__ = ["POSTGRESQL_NAMES", "check_postgresql"]

POSTGRESQL_NAMES = tuple(FIELDS)
"""The names in the section that have an effect; later versions of the plug-in have more."""


def check_postgresql(name: str, value: Any) -> None:
    """Refuse values of the wrong type, and a database that cannot be reached for want of a package."""
    PostgresqlOptions.of_section(value).require_library()
