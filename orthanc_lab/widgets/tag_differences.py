"""What differs between the tags of two instances, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orthanc_lab.widgets.elements.table import Column
from orthanc_lab.widgets.elements.tag_row import TagRow

if TYPE_CHECKING:
    import pydicom

__all__ = ["Difference", "columns", "dataset_rows", "differences"]

_SHORT = 120  # characters of a value in the table
_PIXELS = 0x7FE0

_CHANGES: dict[str, Any] = {
    "Replaced": ("pencil", "busy"),
    "Removed": ("minus", "bad"),
    "Added": ("plus", "good"),
}


def columns(before: str, after: str) -> tuple[Column, ...]:
    """Return the columns of a table of differences; the arguments are the headings of the two values."""
    return (
        Column("change", "Change", "badge", _CHANGES),
        Column("name", "Tag"),
        Column("tag", "Number"),
        Column("before", before, "words"),
        Column("after", after, "words"),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A tag that two instances do not have in common, or not with the same value."""

    path: str
    tag: str
    name: str
    before: str | None  # None where there is no such tag
    after: str | None

    @property
    def change(self) -> str:
        """``Replaced``, ``Removed`` or ``Added``."""
        if self.after is None:
            return "Removed"
        return "Added" if self.before is None else "Replaced"

    def row(self) -> dict[str, Any]:
        """Return its row in a table."""
        return {
            "id": self.path,
            "change": self.change,
            "name": self.name,
            "tag": self.tag,
            "before": _shown(self.before),
            "after": _shown(self.after),
        }


def _shown(value: str | None) -> str:
    return "" if value is None else value[:_SHORT] or "(empty)"


def differences(before: Iterable[TagRow], after: Iterable[TagRow]) -> list[Difference]:
    """Return what differs, by number of the tag; of a sequence that one of them lacks, only the sequence.

    Examples
    --------
    >>> one = [TagRow("0010,0010", "PatientName", "0010,0010", "PN", "Doe^John")]
    >>> found = differences(one, [])
    >>> found[0].change, found[0].before
    ('Removed', 'Doe^John')
    """
    old, new = ({row.path: row for row in rows} for rows in (before, after))
    found = []
    lonely: set[str] = set()  # what only one of them has, with what it contains
    for path in sorted(old.keys() | new.keys()):
        row = old.get(path) or new[path]
        if path in old and path in new:
            if old[path].value == new[path].value:
                continue
        else:
            lonely.add(path)
            if row.parent in lonely:
                continue
        values = (rows[path].value if path in rows else None for rows in (old, new))
        found.append(Difference(path, row.tag, row.name, *values))
    return found


def dataset_rows(dataset: pydicom.Dataset) -> list[TagRow]:
    """Return the tags of a data set that was read, without its pixels."""
    return list(_rows(dataset, "", 0))


def _rows(dataset: pydicom.Dataset, above: str, depth: int) -> Iterator[TagRow]:
    for element in dataset:
        if element.tag.group == _PIXELS:
            continue
        tag = f"{element.tag.group:04x},{element.tag.element:04x}"
        name = element.keyword or element.name.strip("[]") or "Private"
        row = TagRow(f"{above}{tag}", name, tag, element.VR, _text(element), depth)
        yield row
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield TagRow(f"{row.path}/{number}", f"Item {number + 1}", "", "", "", depth + 1)
                yield from _rows(item, f"{row.path}/{number}/", depth + 2)


def _text(element: Any) -> str:
    value = element.value
    if element.VR == "SQ":
        return f"{len(value)} {'item' if len(value) == 1 else 'items'}"
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if element.VM > 1:
        return "\\".join(map(str, value))
    return "" if value is None else str(value)
