"""The tags of an instance as rows of a table: nested sequences, private tags with their creator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

__all__ = ["TagRow", "matching", "tag_rows"]

_SHORT = 120  # letters of a value in the table
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


@dataclass(frozen=True, slots=True)
class TagRow:
    """One element of a data set, or one item of a sequence."""

    path: str  # of numbers: 0008,2218/0/0008,0104
    name: str  # keyword, or creator of a private tag
    tag: str  # gggg,eeee, "" for an item
    vr: str  # "" where it is not known
    value: str  # at its full length
    depth: int = 0
    has_children: bool = False
    is_away: bool = False  # too long for the list: the server gives it alone

    @property
    def parent(self) -> str:
        """Path of the row above, "" at the top."""
        return self.path.rpartition("/")[0]

    @property
    def is_long(self) -> bool:
        """Whether only a part of the value is shown."""
        return self.is_away or len(self.value) > _SHORT

    def plain(self) -> dict[str, Any]:
        """Return what the browser draws."""
        return {
            "path": self.path,
            "parent": self.parent,
            "depth": self.depth,
            "name": self.name,
            "tag": self.tag,
            "vr": self.vr,
            "value": self.value[:_SHORT],
            "long": self.is_long,
            "nested": self.has_children,
        }


def tag_rows(tags: Mapping[str, Any]) -> list[TagRow]:
    """Return the rows of what ``/instances/{id}/tags`` answers.

    Examples
    --------
    >>> rows = tag_rows({"0010,0010": {"Name": "PatientName", "Type": "String", "Value": "Doe^John"}})
    >>> rows[0].name, rows[0].vr, rows[0].value
    ('PatientName', 'PN', 'Doe^John')
    """
    return list(_rows(tags, "", 0))


def _rows(tags: Mapping[str, Any], above: str, depth: int) -> Iterator[TagRow]:
    for tag in sorted(tags):
        element = tags[tag]
        row = TagRow(f"{above}{tag}", _name(element), tag, _vr(tag), "", depth)
        value, kind = element["Value"], element["Type"]
        if kind == "Sequence":
            count = len(value)
            words = f"{count} {'item' if count == 1 else 'items'}"
            yield replace(row, vr="SQ", value=words, has_children=bool(value))
            yield from _items(value, row.path, depth + 1)
        elif kind == "TooLong":
            yield replace(row, value="(long)", is_away=True)
        elif value is None:
            is_binary = _BINARY.issuperset(row.vr.split(" or ")) or "PrivateCreator" in element
            yield replace(row, value="(binary)" if is_binary else "")
        else:
            yield replace(row, value=str(value).rstrip("\0"))


def _items(items: Sequence[Mapping[str, Any]], above: str, depth: int) -> Iterator[TagRow]:
    for number, item in enumerate(items):
        path = f"{above}/{number}"
        yield TagRow(path, f"Item {number + 1}", "", "", "", depth, has_children=bool(item))
        yield from _rows(item, f"{path}/", depth + 1)


def _name(element: Mapping[str, Any]) -> str:
    name, creator = str(element["Name"]), element.get("PrivateCreator")
    if not creator:
        return name
    return f"[{creator}]" if name.startswith("Unknown Tag") else f"{name} [{creator}]"


@cache
def _vr(tag: str) -> str:
    from pydicom.datadict import dictionary_VR  # noqa: PLC0415 - slow to import

    number = int(tag.replace(",", ""), 16)
    if number >> 16 & 1:
        return "LO" if 0x10 <= number & 0xFFFF <= 0xFF else ""
    try:
        return str(dictionary_VR(number))
    except KeyError:
        return ""


def matching(rows: Iterable[TagRow], words: str) -> list[TagRow]:
    """Return the rows that hold all of the words in name, tag or value, in any case, and the rows above them.

    Examples
    --------
    >>> rows = tag_rows({"0010,0010": {"Name": "PatientName", "Type": "String", "Value": "Doe^John"}})
    >>> len(matching(rows, "patient doe")), len(matching(rows, "mary"))
    (1, 0)
    """
    wanted = words.casefold().split()
    known = list(rows)
    found = {row.path for row in known if _holds(row, wanted)}
    above = {part for path in found for part in _lineage(path)}
    return [row for row in known if row.path in found or row.path in above]


def _holds(row: TagRow, wanted: Collection[str]) -> bool:
    text = f"{row.name} {row.tag} {row.tag.replace(',', '')} {row.vr} {row.value}".casefold()
    return all(word in text for word in wanted)


def _lineage(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
