"""Who logs in to a server that the lab or its tile has started."""

from __future__ import annotations

__all__ = ["PASSWORD_VARIABLE", "USER"]

USER = "lab"
PASSWORD_VARIABLE = "ORTHANC_LAB_TILE_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable in which the server of the tile gets its password: other users cannot read it."""
