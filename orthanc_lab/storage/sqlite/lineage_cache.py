"""What uploads need to know of the parents of an instance, remembered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from orthanc_lab.storage.transaction import Key, Lineage

__all__ = ["LineageCache", "Recent"]

_MOST = 1024


@dataclass(slots=True)
class Recent:
    """What is known of a series, its study and its patient."""

    rank: int | None  # of the patient
    last_update: str = ""  # of all three, all of them unstable; "" if unknown
    indexes: Counter[int] | None = None  # IndexInSeries of the instances; None until they are needed


class LineageCache:
    """A bounded memory of series.

    Only the transaction may use it. It is emptied by everything that might make it stale: a rollback, a deletion,
    a change of protection, a resource becoming stable.
    """

    def __init__(self) -> None:
        self._lineages: dict[str, Lineage] = {}
        self._recent: dict[Key, Recent] = {}

    def lineage(self, series: str) -> Lineage | None:
        """Return what is above a series, by its Orthanc identifier; None if it is not remembered."""
        return self._lineages.get(series)

    def remember(self, series: str, lineage: Lineage) -> None:
        """Keep what is above a series."""
        if len(self._lineages) >= _MOST:
            self._lineages.clear()
        self._lineages[series] = lineage

    def recent(self, series: Key) -> Recent | None:
        """Return what is known of a series; None if nothing is."""
        return self._recent.get(series)

    def add(self, series: Key, recent: Recent) -> Recent:
        """Keep what is known of a series."""
        if len(self._recent) >= _MOST:
            self._recent.clear()
        self._recent[series] = recent
        return recent

    def clear(self) -> None:
        """Forget all."""
        self._lineages.clear()
        self._recent.clear()
