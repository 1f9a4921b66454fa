"""The names and numbers of metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["METADATA_NUMBERS", "MetadataNames"]

T = TypeVar("T")

METADATA_NUMBERS: dict[str, int] = {
    "IndexInSeries": 1,
    "ReceptionDate": 2,
    "RemoteAET": 3,
    "ExpectedNumberOfInstances": 4,
    "ModifiedFrom": 5,
    "AnonymizedFrom": 6,
    "LastUpdate": 7,
    "Origin": 8,
    "TransferSyntax": 9,
    "SopClassUid": 10,
    "RemoteIP": 11,
    "CalledAET": 12,
    "HttpUsername": 13,
    "PixelDataOffset": 14,
    "MainDicomTagsSignature": 15,
    "MainDicomSequences": 16,
    "PixelDataVR": 17,
}
"""The built-in metadata (Orthanc Book, "Metadata")."""

_FIRST_OF_USER = 1024


class MetadataNames:
    """How a metadata is written in the index: built-in ones by name, user-defined ones by number.

    Parameters
    ----------
    user
        The option ``UserMetadata``: name -> number.
    """

    def __init__(self, user: Mapping[str, int]) -> None:
        self._numbers = {name: str(number) for name, number in user.items()}
        self._numbers |= {str(number): name for name, number in METADATA_NUMBERS.items()}
        self._names = {str(number): name for name, number in user.items()}

    def stored(self, name: str) -> str:
        """Return what the index calls the metadata with this name or number."""
        return self._numbers.get(name, name)

    def shown(self, metadata: Mapping[str, T]) -> Mapping[str, T]:
        """Return metadata of the index with the names that the configuration gives them; if it gives none, itself."""
        if self._names.keys().isdisjoint(metadata):
            return metadata
        return {self._names.get(name, name): value for name, value in metadata.items()}

    def is_user_defined(self, name: str) -> bool:
        """Return whether a change of this metadata is logged."""
        stored = self.stored(name)
        return stored.isdecimal() and int(stored) >= _FIRST_OF_USER
