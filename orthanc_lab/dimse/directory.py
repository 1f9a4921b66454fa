"""Where the DICOM nodes are kept: in the database, or as configured and in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from orthanc_lab.dimse.modality import Modality, check_name, read_modality
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["ModalityDirectory", "check_modalities"]

_PROPERTY = "DicomModalities"


def check_modalities(definitions: Mapping[str, Any]) -> None:
    """Refuse what is no DICOM node.

    Raises
    ------
    OrthancError
        As `read_modality`; 15 for an impossible name.
    """
    for name, definition in sorted(definitions.items()):
        check_name(name)
        read_modality(definition)


class ModalityDirectory:
    """The DICOM nodes by name: in the database with ``DicomModalitiesInDatabase``, else as configured, and in memory.

    A server has one, so that changes at the same time do not undo each other.
    """

    def __init__(self, settings: Settings, storage: PropertyKeeping) -> None:
        self._settings = settings
        self._storage = storage
        self._in_database = bool(settings["DicomModalitiesInDatabase"])
        self._lock = Lock()

    def all(self) -> dict[str, Modality]:
        """Return the nodes, sorted by name."""
        return {name: read_modality(definition) for name, definition in sorted(self._definitions().items())}

    def get(self, name: str) -> Modality:
        """Return a node.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """
        definition = self._definitions().get(name)
        if definition is None:
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"No modality with symbolic name: {name}")
        return read_modality(definition)

    def by_aet(self, aet: str) -> list[tuple[str, Modality]]:
        """Return the nodes with a title, with their names; upper and lower case differ by ``StrictAetComparison``."""
        as_compared: Callable[[str], str] = str if self._settings["StrictAetComparison"] else str.upper
        wanted = as_compared(aet)
        return [(name, modality) for name, modality in self.all().items() if as_compared(modality.aet) == wanted]

    def put(self, name: str, modality: Modality) -> None:
        """Add or replace a node."""
        check_name(name)
        self._change(lambda definitions: {**definitions, name: modality.configuration()})

    def delete(self, name: str) -> None:
        """Remove a node.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """

        def without(definitions: dict[str, Any]) -> dict[str, Any]:
            if name not in definitions:
                raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"Unknown DICOM modality with symbolic name: {name}")
            return {other: definition for other, definition in definitions.items() if other != name}

        self._change(without)

    def _definitions(self) -> dict[str, Any]:
        if self._in_database:
            return _read(self._storage.get_property(_PROPERTY))
        found: dict[str, Any] = self._settings["DicomModalities"]
        return found

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        if self._in_database:  # other servers may change it, too
            self._storage.change_property(_PROPERTY, lambda text: json.dumps(change(_read(text))))
            return
        with self._lock:
            self._settings.change("DicomModalities", change(self._definitions()))


def _read(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text or "{}")
    return found
