"""The libraries of Orthanc's plug-ins whose place this server takes, as ``/system`` tells them."""

from __future__ import annotations

from orthanc_lab.protocol.ports import Settings

__all__ = ["storage_area_plugin"]

_FOLDER = "/usr/share/orthanc/plugins"
_AREAS = {
    "AwsS3Storage": "libOrthancAwsS3Storage.so",
    "AzureBlobStorage": "libOrthancAzureBlobStorage.so",
    "GoogleCloudStorage": "libOrthancGoogleCloudStorage.so",
}


def storage_area_plugin(settings: Settings) -> str | None:
    """Return the library that would keep the files of the storage, None if Orthanc itself would.

    It is the one that the option ``Plugins`` names, else the one that is usual.
    """
    for section, library in _AREAS.items():
        if settings[section]:
            return _path(settings, library)
    if settings["PostgreSQL"].get("EnableIndex") and settings["PostgreSQL"].get("EnableStorage"):
        return _path(settings, "libOrthancPostgreSQLStorage.so")
    return None


def _path(settings: Settings, library: str) -> str:
    named = [path for path in settings["Plugins"] if path.endswith(library)]
    return str(named[0]) if named else f"{_FOLDER}/{library}"
