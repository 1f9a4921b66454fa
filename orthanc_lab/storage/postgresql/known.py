"""What a transaction knows of resources without asking: those that its operations said they would look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.storage.transaction import Key, Lineage

__all__ = ["Known", "KnownResource"]

_SERIES = 2


@dataclass(slots=True)
class KnownResource:
    """A resource as it is inside the transaction."""

    key: Key
    depth: int
    id: str
    parent: Key | None
    last_update: str | None
    stable: bool
    touched: int
    rank: int | None  # of a patient
    expected: str | None  # metadata ExpectedNumberOfInstances of a series


class Known:
    """Resources by identifier and by key.

    While the transaction holds the lock of the index, nobody else changes them. Nothing outlives the transaction:
    other servers write in between.
    """

    def __init__(self) -> None:
        self._asked: set[tuple[int, str]] = set()  # levels and identifiers that were looked for
        self._by_id: dict[tuple[int, str], KnownResource] = {}
        self._by_key: dict[Key, KnownResource] = {}
        self.indexes: dict[Key, Counter[int]] = {}  # IndexInSeries of the instances of series

    def learn(self, asked: Iterable[tuple[int, str]], rows: Iterable[Sequence[Any]]) -> None:
        """Take the rows of a query for some identifiers."""
        self._asked.update(asked)
        for row in rows:
            self.add(KnownResource(*row))

    def add(self, resource: KnownResource) -> None:
        """Take a resource."""
        self._by_id[resource.depth, resource.id] = resource
        self._by_key[resource.key] = resource

    def knows(self, depth: int, id: str) -> bool:
        """Tell whether `get` has the answer for an identifier."""
        return (depth, id) in self._asked or (depth, id) in self._by_id

    def get(self, depth: int, id: str) -> KnownResource | None:
        """Return a resource by its identifier."""
        return self._by_id.get((depth, id))

    def with_keys(self, keys: Collection[Key]) -> Iterator[KnownResource]:
        """Iterate over those of some resources that are known."""
        return (self._by_key[key] for key in keys if key in self._by_key)

    def missing(self, keys: Collection[Key]) -> list[Key]:
        """Return those of some keys that are not known."""
        return [key for key in keys if key not in self._by_key]

    def lineage(self, series: str) -> Lineage | None:
        """Return a series and what is above it, as far as that is known."""
        own = self._by_id.get((_SERIES, series))
        study = None if own is None or own.parent is None else self._by_key.get(own.parent)
        if own is None or study is None or study.parent is None:
            return None
        return Lineage(study.parent, study.key, own.key, own.expected)

    def clear(self) -> None:
        """Forget all: something has happened that is not followed here."""
        self._asked.clear()
        self._by_id.clear()
        self._by_key.clear()
        self.indexes.clear()
