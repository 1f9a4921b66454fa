"""What the server is: ``/system``, ``/plugins``."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.extra_main_tags import read_extra_main_tags
from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json
from orthanc_lab.rest.http.cached_text import CachedJson
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.server.plugin_paths import database_backend_plugin, storage_area_plugin
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Plugin", "PluginList", "System", "server_identifier"]

API_VERSION = 27
DATABASE_VERSION = 6
VERSION = "1.12.7"
"""The version of Orthanc whose behaviour this server has."""

_SAME_NAME = (
    "CheckRevisions",
    "DicomAet",
    "MaximumPatientCount",
    "MaximumStorageMode",
    "MaximumStorageSize",
    "Name",
    "OverwriteInstances",
    "ReadOnly",
    "StorageCompression",
)
_EXPLORER_SCRIPT = b"// Extensions to Orthanc Explorer by the registered plugins\n\n"

_TRANSFERS = {
    "Description": "Accelerates transfers and provides storage commitment between Orthanc peers",
    "ExtendsOrthancExplorer": True,
    "ID": "transfers",
    "Version": "1.7",
}
"""The plug-in of Orthanc whose behaviour ``/transfers`` has."""


class System:
    """The version and the configuration of the server."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        document = self._unchanging(services.dictionary)
        self._json = CachedJson[tuple[int, int]](
            lambda ports: {**document, "HttpPort": ports[0], "DicomPort": ports[1]}
        )

    def on_plain_get(self) -> PlainAnswer:
        """Return what `on_get` answers."""
        return self._json.plain(self._ports())

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the description; the ports are those that the server really has."""
        self._json.answer(req, resp, self._ports())

    def _ports(self) -> tuple[int, int]:
        return self._settings["HttpPort"], self._settings["DicomPort"]

    def _unchanging(self, dictionary: Dictionary) -> dict[str, Any]:
        settings = self._settings
        return {
            **{name: settings[name] for name in _SAME_NAME},
            "ApiVersion": API_VERSION,
            "Capabilities": {"HasExtendedChanges": True, "HasExtendedFind": True},
            "DatabaseBackendPlugin": database_backend_plugin(settings),
            "DatabaseServerIdentifier": server_identifier(settings),
            "DatabaseVersion": DATABASE_VERSION,
            "DefaultRetrieveMethod": "C-MOVE",  # whatever the option says, as in Orthanc 1.12.7
            "HasLabels": True,
            "IngestTranscoding": settings["IngestTranscoding"] or "",
            "IsHttpServerSecure": _is_secure(settings),
            "MainDicomTags": _main_tags(settings, dictionary),
            "PluginsEnabled": True,
            "StorageAreaPlugin": storage_area_plugin(settings),
            "UserMetadata": _user_metadata(settings["UserMetadata"]),
            "Version": VERSION,
        }


class PluginList:
    """The plugins: the one that extends the explorer, the transfers accelerator, and the extensions."""

    def __init__(self, services: Services) -> None:
        self._names = ["explorer.js", *sorted(_plugins(services))]

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the names."""
        answer_json(req, resp, self._names)


class Plugin:
    """One plugin."""

    def __init__(self, services: Services) -> None:
        self._plugins = _plugins(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the script with which plugins extend the explorer: none does; what a plugin is; else 404/empty."""
        if id in self._plugins:
            answer_json(req, resp, self._plugins[id])
            return
        if id != "explorer.js":
            raise EmptyAnswer(404)
        resp.content_type = "application/javascript"
        resp.data = _EXPLORER_SCRIPT


def _plugins(services: Services) -> dict[str, dict[str, Any]]:
    """Return what there is to tell of each plugin, by name."""
    extensions = services.extensions.extensions if services.extensions is not None else ()
    told = {
        extension.name: {
            "Description": extension.description,
            "ExtendsOrthancExplorer": False,
            "ID": extension.name,
            "Version": extension.version,
        }
        for extension in extensions
    }
    return {"transfers": _TRANSFERS, **told}


def server_identifier(settings: Settings) -> str:
    """Return the identifier of a server: the option, else a hash of where it is."""
    configured = settings["DatabaseServerIdentifier"]
    if configured:
        return str(configured)
    name = "|".join(
        [socket.gethostname(), *(str(settings[option]) for option in ("DicomAet", "HttpPort", "DicomPort"))]
    )
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))


def _is_secure(settings: Settings) -> bool:
    if not settings["RemoteAccessAllowed"]:
        return True
    users = settings["RegisteredUsers"]
    return bool(settings["AuthenticationEnabled"]) and users.get("orthanc") != "orthanc"


def _main_tags(settings: Settings, dictionary: Dictionary) -> dict[str, str]:
    tags = MainTags(read_extra_main_tags(settings["ExtraMainDicomTags"], dictionary))
    return {level.value: tags.signature(level) for level in LEVELS}


def _user_metadata(named: Mapping[str, int]) -> dict[str, int]:
    # Orthanc lists each one by its number, too.
    return {**{str(number): number for number in named.values()}, **named}


ROUTES: Sequence[tuple[str, type]] = (("/system", System), ("/plugins", PluginList), ("/plugins/{id}", Plugin))
