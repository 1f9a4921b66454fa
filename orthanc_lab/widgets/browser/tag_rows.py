"""The tags of an instance as table rows, with nested sequences, and private tags with their creator."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from orthanc_lab.widgets.elements.tag_row import TagRow

__all__ = ["matching", "tag_rows"]

_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def tag_rows(tags: Mapping[str, Any]) -> list[TagRow]:
    """Return the rows for a response of ``/instances/{id}/tags``.

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
            text = str(value).rstrip("\0")
            yield replace(row, value=text, meaning=_uid_name(text) if text.startswith("1.2.840.") else "")


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


def _uid_name(uid: str) -> str:
    from pydicom._uid_dict import UID_dictionary  # noqa: PLC0415 - slow to import

    return UID_dictionary[uid][0] if uid in UID_dictionary else ""


def matching(rows: Iterable[TagRow], words: str) -> list[TagRow]:
    """Return the rows that contain all words in name, tag or value, ignoring case, and the rows above them.

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
    text = f"{row.name} {row.tag} {row.tag.replace(',', '')} {row.vr} {row.value} {row.meaning}".casefold()
    return all(word in text for word in wanted)


def _lineage(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
