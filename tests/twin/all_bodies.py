"""All named request bodies of the scenarios."""

from __future__ import annotations

from tests.twin import bodies, long_values, picture_bodies

__all__ = ["build"]


def build() -> dict[str, bytes]:
    """Return every named body."""
    return bodies.build() | picture_bodies.build() | long_values.build()
