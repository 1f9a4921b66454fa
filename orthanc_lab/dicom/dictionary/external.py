"""The option ``ExternalDictionaries``: files in DCMTK's format, which replace the built-in tables.

A line is a tag, its VR, its name, its multiplicity and a version, separated by tabs. A tag is ``(gggg,eeee)``, with
ranges ``(gggg-gggg,eeee)`` (even numbers), ``gggg-o-gggg`` (odd ones) and ``gggg-u-gggg``, or ``(gggg,"CREATOR",ee)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from orthanc_lab.dicom.dictionary.entry import DictionaryEntry
from orthanc_lab.dicom.dictionary.tags import PIXEL_DATA
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["ExternalTables"]

_RANGE = r"([0-9a-fA-F]{1,4})(?:-(?:([ou])-)?([0-9a-fA-F]{1,4}))?"
_LINE = re.compile(rf'\({_RANGE},(?:"([^"]*)",)?{_RANGE}\)\s++(\S++)\s++([^\t]++)')
# As Orthanc writes a tag whose VR depends on other tags.
_CHOICES = {"xs": "US", "lt": "OW", "ox": "OW", "px": "OW", "up": "UL", "na": "UN"}


class _Range(NamedTuple):
    first: int
    last: int
    parity: int | None  # 0: even numbers, 1: odd ones, None: all

    def holds(self, number: int) -> bool:
        return self.first <= number <= self.last and (self.parity is None or number % 2 == self.parity)


_Entry = tuple[_Range, _Range, DictionaryEntry]  # groups, elements


class ExternalTables:
    """The tags in files, the later of which override the earlier.

    Raises
    ------
    OrthancError
        13 for a file that cannot be read, or has a line that is no entry.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._single = {PIXEL_DATA: DictionaryEntry("OW", "PixelData")}  # Orthanc knows it by itself
        self._ranges: list[_Entry] = []
        self._private: dict[str, list[_Entry]] = {}
        self._public_names: dict[str, int] = {}
        self._private_names: dict[str, int] = {}
        for file in files:
            self._read(file)

    def _read(self, file: Path) -> None:
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError as error:
            raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Cannot read the dictionary {file}: {error}") from error
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            match = _LINE.match(text)
            if match is None:
                raise OrthancError(ErrorCode.INEXISTENT_FILE, f"Line {number} of the dictionary {file} is no entry")
            groups, creator, elements = _range(*match.group(1, 2, 3)), match[4], _range(*match.group(5, 6, 7))
            self._add(
                groups, creator, elements, DictionaryEntry(_CHOICES.get(match[8], match[8]), match[9].replace(" ", ""))
            )

    def _add(self, groups: _Range, creator: str | None, elements: _Range, entry: DictionaryEntry) -> None:
        tag = groups.first << 16 | elements.first
        if creator is not None:
            self._private.setdefault(creator, []).append((groups, elements, entry))
            block = 0 if elements.first >= 0x100 else 0x0100
            self._private_names.setdefault(entry.name, tag | block)
            return
        if groups.first == groups.last and elements.first == elements.last:
            overridden = self._single.get(tag)
            if overridden is not None and self._public_names.get(overridden.name) == tag:
                del self._public_names[overridden.name]
            self._single[tag] = entry
        else:
            self._ranges.append((groups, elements, entry))
        self._public_names[entry.name] = tag

    def public_names(self) -> Mapping[str, int]:
        """Return the tags of the standard by name."""
        return self._public_names

    def private_names(self) -> Mapping[str, int]:
        """Return the private tags by name."""
        return self._private_names

    def public(self, tag: int) -> DictionaryEntry | None:
        """Return the entry of a tag of the standard."""
        entry = self._single.get(tag)
        return _last(self._ranges, tag >> 16, tag & 0xFFFF) if entry is None else entry

    def private(self, tag: int, creator: str) -> DictionaryEntry | None:
        """Return the entry of a private tag; one of a block is found by the low byte of its number."""
        element = tag & 0xFFFF
        entries = self._private.get(creator)
        if entries is None or element < 0x1000:
            return None
        return _last(entries, tag >> 16, element & 0xFF) or _last(entries, tag >> 16, element)


def _range(first: str, mode: str | None, last: str | None) -> _Range:
    start = int(first, 16)
    if last is None:
        return _Range(start, start, None)
    return _Range(start, int(last, 16), {None: 0, "o": 1, "u": None}[mode])


def _last(entries: Iterable[_Entry], group: int, element: int) -> DictionaryEntry | None:
    found = None
    for groups, elements, entry in entries:
        if groups.holds(group) and elements.holds(element):
            found = entry
    return found
