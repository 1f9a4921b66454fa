"""The series that received an instance lately: what an upload needs to know of its parents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

__all__ = ["Lineage", "Lineages"]

_MOST = 1024


@dataclass(slots=True)
class Lineage:
    """A series, its study and its patient in the index."""

    series: int  # keys
    study: int
    patient: int
    expected: int | None  # metadata ExpectedNumberOfInstances of the series
    rank: int | None  # of the patient
    last_update: str = ""  # of all three, all of them unstable; "" if unknown
    indexes: Counter[int] | None = None  # IndexInSeries of the instances; None until somebody asks


class Lineages:
    """A bounded memory of lineages by the Orthanc identifier of the series.

    Only whoever holds the index for writing may use it. It is emptied by everything that
    might make it untrue: a rollback, a deletion, a change of protection, a resource becoming stable.
    """

    def __init__(self) -> None:
        self._by_series: dict[str, Lineage] = {}

    def get(self, series: str) -> Lineage | None:
        """Return what is known of a series."""
        return self._by_series.get(series)

    def put(self, series: str, lineage: Lineage) -> None:
        """Remember a series."""
        if len(self._by_series) >= _MOST:
            self._by_series.clear()
        self._by_series[series] = lineage

    def clear(self) -> None:
        """Forget all."""
        self._by_series.clear()
