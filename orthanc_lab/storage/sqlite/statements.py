"""The SQL of the index, read from the two files beside this module."""

from __future__ import annotations

import re
from importlib.resources import files

__all__ = ["SCHEMA", "SQL", "VERSION"]

VERSION = 1
"""Kept in ``PRAGMA user_version``; an index of another version is refused."""

_NAME = re.compile(r"^-- (\w+):\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)


def _read(name: str) -> str:
    return files("orthanc_lab.storage.sqlite").joinpath(name).read_text("utf-8")


def _queries(text: str) -> dict[str, str]:
    _, *parts = _NAME.split(text)
    return {name: _COMMENT.sub("", query).strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}


SCHEMA = _read("schema.sql")
"""The statements that make the tables."""

SQL: dict[str, str] = _queries(_read("queries.sql"))
"""Each query by its name in ``queries.sql``."""
