"""Private tags as entered by the user, and the ``Dictionary`` that the server needs for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orthanc_lab.widgets.dicomize.values import problem, typed_value

__all__ = ["VRS", "PrivateBlock", "PrivateTag", "unknown_to_server"]

VRS = (
    *("LO", "SH", "ST", "LT", "UT", "CS", "PN", "DA", "TM", "DT", "AS", "AE", "UI", "IS", "DS"),
    *("US", "SS", "UL", "SL", "FL", "FD", "OB"),
)
"""The VRs offered for private tags; Orthanc's ``Dictionary`` accepts all of them."""

_BLOCK = 0x10  # the first block that a creator can reserve
_UNKNOWN = "Unknown Tag & Data"


@dataclass(frozen=True, slots=True)
class PrivateTag:
    """One private tag."""

    element: str  # two hexadecimal digits: the position in the creator's block
    vr: str
    value: str


@dataclass(frozen=True, slots=True)
class PrivateBlock:
    """The private tags of one creator in one group; without tags there is no block.

    Examples
    --------
    >>> block = PrivateBlock("My Company", "0405", (PrivateTag("01", "ST", "<xml/>"),))
    >>> block.tags()
    {'0405-0010': 'My Company', '0405-1001': '<xml/>'}
    >>> print(block.snippet())
    "Dictionary" : {
      "0405,0010" : [ "LO", "PrivateCreatorForMyCompany", 1, 1, "My Company" ],
      "0405,1001" : [ "ST", "MyCompany1001", 1, 1, "My Company" ]
    }
    """

    creator: str = ""
    group: str = ""  # four hexadecimal digits, odd
    rows: tuple[PrivateTag, ...] = ()

    def problems(self) -> dict[str, str]:
        """Return the problems by field: ``creator``, ``group``, and the number of each row."""
        if not self.rows:
            return {}
        found: dict[str, str] = {}
        if not self.creator.strip():
            found["creator"] = "is missing: the name that reserves the block of tags"
        elif words := problem("LO", self.creator, "1"):
            found["creator"] = words
        if not _is_private(self.group):
            found["group"] = "must be four hexadecimal digits, odd and at least 0009, such as 0405"
        seen: set[str] = set()
        for number, row in enumerate(self.rows):
            element = row.element.lower()
            if not re.fullmatch("[0-9a-f]{2}", element):
                found[str(number)] = f"element {row.element!r} must be two hexadecimal digits, such as 01"
            elif element in seen:
                found[str(number)] = f"element {element} is used twice"
            elif words := problem(row.vr, row.value):
                found[str(number)] = words
            seen.add(element)
        return found

    def tags(self) -> dict[str, str | bytes]:
        """Return the tags as `Client.create_dicom` expects them, the creator first."""
        if not self.rows:
            return {}
        values = {f"{self.group.lower()}-{_BLOCK:02x}{row.element.lower()}": row for row in self.rows}
        creator: dict[str, str | bytes] = {f"{self.group.lower()}-00{_BLOCK:02x}": self.creator}
        return creator | {key: typed_value(row.vr, row.value) for key, row in values.items()}

    def entries(self) -> dict[str, list[Any]]:
        """Return the option ``Dictionary`` for these tags."""
        word = re.sub(r"[^0-9A-Za-z]", "", self.creator) or "Private"
        group = self.group.lower()
        found: dict[str, list[Any]] = {
            f"{group},00{_BLOCK:02x}": ["LO", f"PrivateCreatorFor{word}", 1, 1, self.creator]
        }
        for row in self.rows:
            element = f"{_BLOCK:02x}{row.element.lower()}"
            most = 0 if "\\" in row.value and not problem(row.vr, row.value, "2-n") else 1  # 0: any number
            found[f"{group},{element}"] = [row.vr, f"{word}{element}", 1, most, self.creator]
        return found

    def snippet(self) -> str:
        """Return the lines to paste into the server's configuration."""
        lines = ",\n".join(f"  {json.dumps(key)} : {_in_a_row(entry)}" for key, entry in self.entries().items())
        return f'"Dictionary" : {{\n{lines}\n}}'


def _in_a_row(entry: list[Any]) -> str:
    return f"[ {json.dumps(entry)[1:-1]} ]"


def _is_private(group: str) -> bool:
    return bool(re.fullmatch("[0-9a-fA-F]{4}", group)) and int(group, 16) % 2 == 1 and 0x0009 <= int(group, 16) < 0xFFFF


def unknown_to_server(block: PrivateBlock, stored: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the private tags that the server stored without knowing them, judging by ``/instances/…/tags``.

    Examples
    --------
    >>> block = PrivateBlock("My Company", "0405", (PrivateTag("01", "ST", "<xml/>"),))
    >>> unknown_to_server(block, {"0405,1001": {"Name": "Unknown Tag & Data", "Type": "Null", "Value": None}})
    ['0405,1001']
    """
    return list(_unknown(block, stored))


def _unknown(block: PrivateBlock, stored: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for key in block.tags():
        number = key.replace("-", ",")
        if stored.get(number, {}).get("Name") == _UNKNOWN:
            yield number
