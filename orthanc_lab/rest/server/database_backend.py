"""The library of Orthanc's plug-in whose place the index on PostgreSQL takes, as ``/system`` tells it."""

from __future__ import annotations

import os

from orthanc_lab.protocol.ports import Settings

__all__ = ["database_backend_plugin"]

_LIBRARY = "libOrthancPostgreSQLIndex.so"
_FOLDER = "/usr/share/orthanc/plugins"


def database_backend_plugin(settings: Settings) -> str | None:
    """Return the library that would keep the index, None if Orthanc itself would.

    It is the one that the option ``Plugins`` names, else the one that is usual; as in Orthanc, links are followed.
    """
    if not settings["PostgreSQL"].get("EnableIndex"):
        return None
    named = [path for path in settings["Plugins"] if path.endswith(_LIBRARY)]
    return os.path.realpath(named[0] if named else f"{_FOLDER}/{_LIBRARY}")
