"""The entry of a tag in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["DictionaryEntry", "Tables"]


class DictionaryEntry(NamedTuple):
    """The entry of a tag in the dictionary."""

    vr: str
    name: str


class Tables(Protocol):
    """The tags that are known beside those of the option ``Dictionary``."""

    def public_names(self) -> Mapping[str, int]:
        """Return the tags of the standard by name."""
        ...

    def private_names(self) -> Mapping[str, int]:
        """Return the private tags by name."""
        ...

    def public(self, tag: int) -> DictionaryEntry | None:
        """Return the entry of a tag of the standard."""
        ...

    def private(self, tag: int, creator: str) -> DictionaryEntry | None:
        """Return the entry of a private tag."""
        ...
