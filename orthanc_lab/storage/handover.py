"""What a storage hands over to another one: the port that a back end implements to be moved away from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.storage.records import Change, Export, Resource
from orthanc_lab.storage.transaction import Key

__all__ = ["Handover"]


class Handover(Protocol):
    """An index of which all can be read, and nothing written. Nobody else writes to it meanwhile."""

    def count(self) -> int:
        """Return how many instances there are."""
        ...

    def instances_after(self, key: Key, limit: int) -> Sequence[tuple[Key, str]]:
        """Return the next instances in the order in which they were stored, with their keys."""
        ...

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, with the names of metadata that the index has."""
        ...

    def small_file(self, key: int) -> bytes | None:
        """Return the content of a small file (`SmallFile.key`), None if there is none."""
        ...

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since`, and whether that is all."""
        ...

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        """Return the exports after `since`, and whether that is all."""
        ...

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last change and of the last export ever logged."""
        ...

    def recycling(self) -> Sequence[str]:
        """Return the patients that may be recycled, the first one first."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return what the named counters have reached."""
        ...

    def properties(self) -> Mapping[str, str]:
        """Return all global properties."""
        ...
