"""All named request bodies of the scenarios."""

from __future__ import annotations

from orthanc_lab.testing.scenarios.bodies import files, long_values, pictures

__all__ = ["build"]


def build() -> dict[str, bytes]:
    """Return every named body."""
    return files.build() | pictures.build() | long_values.build()
