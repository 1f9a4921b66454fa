"""Where the DICOM nodes are kept: in the database, or as configured and in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orthanc_lab.dimse.modality import Modality, read_modality
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.named_definitions import NamedDefinitions, check_name
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["ModalityDirectory", "check_modalities"]


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
        in_database = bool(settings["DicomModalitiesInDatabase"])
        self._definitions = NamedDefinitions("DicomModalities", settings, storage, in_database=in_database)
        self._strict = bool(settings["StrictAetComparison"])

    def all(self) -> dict[str, Modality]:
        """Return the nodes, sorted by name."""
        return {name: read_modality(definition) for name, definition in sorted(self._definitions.all().items())}

    def get(self, name: str) -> Modality:
        """Return a node.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """
        definition = self._definitions.all().get(name)
        if definition is None:
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"No modality with symbolic name: {name}")
        return read_modality(definition)

    def by_aet(self, aet: str) -> list[tuple[str, Modality]]:
        """Return the nodes with a title, with their names; upper and lower case differ by ``StrictAetComparison``."""
        as_compared: Callable[[str], str] = str if self._strict else str.upper
        wanted = as_compared(aet)
        return [(name, modality) for name, modality in self.all().items() if as_compared(modality.aet) == wanted]

    def put(self, name: str, modality: Modality) -> None:
        """Add or replace a node."""
        self._definitions.put(name, modality.configuration())

    def delete(self, name: str) -> None:
        """Remove a node.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """
        self._definitions.remove(name, f"Unknown DICOM modality with symbolic name: {name}")
