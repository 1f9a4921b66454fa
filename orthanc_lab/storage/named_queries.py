"""The SQL of an index: queries with names, in a file beside the modules that use them."""

from __future__ import annotations

import re
from importlib.resources import files

__all__ = ["read_queries", "read_text"]

_NAME = re.compile(r"^-- (\w+):\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)


def read_text(package: str, name: str) -> str:
    """Return the text of a file of a package."""
    return files(package).joinpath(name).read_text("utf-8")


def read_queries(package: str, name: str) -> dict[str, str]:
    """Return the queries of a file: each follows a line ``-- name:``."""
    _, *parts = _NAME.split(read_text(package, name))
    return {name: _COMMENT.sub("", query).strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}
