"""What stands in the way of an import."""

from __future__ import annotations

__all__ = ["SourceError"]


class SourceError(Exception):
    """The folder is not one that can be imported; the message says why, for the user."""
