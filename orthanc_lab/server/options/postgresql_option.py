"""The option ``PostgreSQL``: the section of Orthanc's plug-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.postgresql.options import FIELDS, PostgresqlOptions

__all__ = ["check_postgresql", "warnings_of_postgresql"]


def check_postgresql(name: str, value: Any) -> None:
    """Refuse values of the wrong type."""
    PostgresqlOptions.of_section(value)


def warnings_of_postgresql(section: Mapping[str, Any]) -> list[str]:
    """Return what to say of names that mean nothing here: misspelt ones, and those of later versions of the plug-in."""
    unknown = (name for name in section if name not in FIELDS)
    return [f'The configuration option "PostgreSQL.{name}" is unknown, and has no effect' for name in unknown]
