"""The tables beside this module, line by line."""

from __future__ import annotations

from pathlib import Path

__all__ = ["read_lines"]


def read_lines(name: str) -> list[str]:
    """Return the lines of a table, its comments left out."""
    text = Path(__file__).with_name(name).read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
