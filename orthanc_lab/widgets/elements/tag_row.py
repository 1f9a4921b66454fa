"""One row of a table of tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["TagRow"]

_SHORT = 120  # characters of a value in the table


@dataclass(frozen=True, slots=True)
class TagRow:
    """One element of a data set, or one item of a sequence."""

    path: str  # in numbers: 0008,2218/0/0008,0104
    name: str  # keyword, or creator of a private tag
    tag: str  # gggg,eeee, "" for an item
    vr: str  # "" if unknown
    value: str  # in full
    depth: int = 0
    has_children: bool = False
    meaning: str = ""  # what a UID stands for
    is_away: bool = False  # too long to be included in the list: must be fetched separately

    @property
    def parent(self) -> str:
        """Path of the row above, "" at the top."""
        return self.path.rpartition("/")[0]

    @property
    def is_long(self) -> bool:
        """Whether only part of the value is shown."""
        return self.is_away or len(self.value) > _SHORT

    def plain(self) -> dict[str, Any]:
        """Return the form that the browser draws."""
        return {
            "path": self.path,
            "parent": self.parent,
            "depth": self.depth,
            "name": self.name,
            "tag": self.tag,
            "vr": self.vr,
            "value": self.value[:_SHORT],
            "meaning": self.meaning,
            "long": self.is_long,
            "nested": self.has_children,
        }
