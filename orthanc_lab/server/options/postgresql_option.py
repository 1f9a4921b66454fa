"""The option ``PostgreSQL``: the section of Orthanc's plug-in."""

from __future__ import annotations

from typing import Any

from orthanc_lab.postgresql.options import PostgresqlOptions

__all__ = ["check_postgresql"]


def check_postgresql(name: str, value: Any) -> None:
    """Refuse values of the wrong type; unknown names are ignored."""
    PostgresqlOptions.of_section(value)
