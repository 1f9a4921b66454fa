"""The libraries of Orthanc's plug-ins whose place this server takes, as ``/system`` tells them."""

from __future__ import annotations

import os

from orthanc_lab.protocol.ports import Settings

__all__ = ["database_backend_plugin", "storage_area_plugin"]

_FOLDER = "/usr/share/orthanc/plugins"
_INDEX = "libOrthancPostgreSQLIndex.so"
_AREAS = {
    "AwsS3Storage": "libOrthancAwsS3Storage.so",
    "AzureBlobStorage": "libOrthancAzureBlobStorage.so",
    "GoogleCloudStorage": "libOrthancGoogleCloudStorage.so",
}


def database_backend_plugin(settings: Settings) -> str | None:
    """Return the library that would keep the index, None if Orthanc itself would; as in Orthanc, links are followed."""
    return os.path.realpath(_path(settings, _INDEX)) if settings["PostgreSQL"].get("EnableIndex") else None


def storage_area_plugin(settings: Settings) -> str | None:
    """Return the library that would keep the files of the storage, None if Orthanc itself would."""
    for section, library in _AREAS.items():
        if settings[section]:
            return _path(settings, library)
    return None


def _path(settings: Settings, library: str) -> str:
    """Return where a library is: where the option ``Plugins`` says, else where it usually is."""
    named = [path for path in settings["Plugins"] if path.endswith(library)]
    return str(named[0]) if named else f"{_FOLDER}/{library}"
