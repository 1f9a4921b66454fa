"""The SQL of an index: queries with names, in a file beside the modules that use them."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["read_queries"]

_NAME = re.compile(r"^-- (\w+):\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)


def read_queries(file: Path) -> dict[str, str]:
    """Return the queries of a file: each follows a line ``-- name:``."""
    _, *parts = _NAME.split(file.read_text("utf-8"))
    return {name: _COMMENT.sub("", query).strip() for name, query in zip(parts[::2], parts[1::2], strict=True)}
