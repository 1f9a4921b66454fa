"""The row of totals: counts, sizes and the last numbers that were given. Who writes holds the lock of the index."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter

from orthanc_lab.storage.records import Statistics

__all__ = ["Totals", "totals_row"]

_COUNTS = ("patients", "studies", "series", "instances")  # by depth


@dataclass(slots=True)
class Totals:
    """The one row of the table ``totals``."""

    version: int  # one more with each commit
    last_resource: int
    last_small_file: int
    last_change: int
    last_export: int
    last_rank: int
    last_touch: int
    stale_changes: int
    patients: int
    studies: int
    series: int
    instances: int
    disk_size: int
    uncompressed_size: int

    def count(self, depth: int, more: int) -> None:
        """Count so many more (or fewer) resources of a level."""
        name = _COUNTS[depth]
        setattr(self, name, getattr(self, name) + more)

    def statistics(self) -> Statistics:
        """Return what people ask for."""
        return Statistics(
            self.patients, self.studies, self.series, self.instances, self.disk_size, self.uncompressed_size
        )


totals_row = attrgetter(*(field.name for field in fields(Totals)))
"""Returns the values of the row, in the order of its columns."""
