"""The names and VRs of DICOM tags, as Orthanc knows them, and the option ``Dictionary``.

The tables are two text files beside this module. They are read on first use, in a few
milliseconds; pydicom's dictionary would cost ten times that, and names the retired tags differently.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from orthanc_lab.dicom.dictionary.dictionary_option import PrivateKey, read_dictionary_option
from orthanc_lab.dicom.dictionary.entry import DictionaryEntry, Tables
from orthanc_lab.dicom.dictionary.text_tables import read_lines
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = [
    "STANDARD",
    "UNKNOWN_NAME",
    "BuiltInTables",
    "Dictionary",
    "DictionaryEntry",
    "ShownTag",
    "Tag",
    "format_tag",
    "is_private",
]

Tag = int
"""``0x00100020``: the group in the upper 16 bits, the element in the lower ones."""

UNKNOWN_NAME = "Unknown Tag & Data"
"""The name that Orthanc shows for a tag which is not in the dictionary."""

_PLAIN_TAG = re.compile(r"([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})\Z")
_COMMA_TAG = re.compile(r"\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+),\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+)")


def format_tag(tag: Tag) -> str:
    """Return ``gggg,eeee`` in lower case."""
    return f"{tag >> 16:04x},{tag & 0xFFFF:04x}"


def is_private(tag: Tag) -> bool:
    """Tell whether the group of a tag is odd (PS3.5 section 7.8)."""
    return bool(tag & 0x10000)


class ShownTag(NamedTuple):
    """How a tag appears in JSON, and its VR in the dictionary."""

    key: str  # gggg,eeee
    name: str
    vr: str  # "" for an unknown tag


_Own = Mapping[PrivateKey, DictionaryEntry]


class Dictionary:
    """The dictionary of one server: the standard's tags, known private ones, those of the configuration.

    `shown` tells how a tag with a private creator ("" without one) appears in JSON.

    Parameters
    ----------
    option
        The value of ``Dictionary`` in the configuration.
    private_creator
        The value of ``DefaultPrivateCreator``.
    tables
        The tags that are known beside those of `option`; None for the built-in ones.

    Raises
    ------
    OrthancError
        3, 15, 27 or 2042 where Orthanc refuses to start because of the option.
    """

    def __init__(self, option: Any = None, private_creator: str = "", tables: Tables | None = None) -> None:
        self._tables: Tables = tables or BuiltInTables()
        self._default_creator = private_creator
        self._own: _Own = {}
        self._own_names: dict[str, Tag] = {}
        if option:
            entries = read_dictionary_option(option, self.parse_tag, self._is_registered)
            self._own = {key: DictionaryEntry(vr, name) for key, (vr, name) in entries.items()}
            for (_, tag), entry in self._own.items():
                self._own_names.setdefault(entry.name, tag)
        # Not a method of this object: it would hold itself through its cache.
        self.shown = functools.lru_cache(maxsize=8192)(
            functools.partial(_shown, self._tables, self._own, private_creator)
        )

    def parse_tag(self, name: str, private_creator: str | None = None) -> Tag:
        """Read a tag by keyword (case-sensitive), ``gggg-eeee``, ``gggg,eeee`` or ``ggggeeee``.

        A name of the configured dictionary takes precedence over built-in private tags; the tag does
        not depend on `private_creator`, which only decides its VR.

        Raises
        ------
        OrthancError
            27 with the name as details.
        """
        tag = self._tables.public_names().get(name)
        if tag is not None:
            return tag
        if (match := _PLAIN_TAG.match(name)) is not None:
            return int(match[1] + match[2], 16)
        if (match := _COMMA_TAG.match(name)) is not None:
            return _signed(match[1], match[2]) << 16 | _signed(match[3], match[4])
        tag = self._own_names.get(name)
        if tag is None:
            tag = self._tables.private_names().get(name)
        if tag is None:
            before, nul, _ = name.partition("\0")  # where a text ends in C
            if nul:
                return self.parse_tag(before, private_creator)
            raise OrthancError(ErrorCode.UNKNOWN_DICOM_TAG, name)
        return tag

    def name_of(self, tag: Tag, private_creator: str | None = None) -> str:
        """Return the name of a tag, `UNKNOWN_NAME` if it has none."""
        entry = self.find(tag, private_creator)
        return UNKNOWN_NAME if entry is None else entry.name

    def vr_of(self, tag: Tag, private_creator: str | None = None) -> str:
        """Return the VR of a tag, ``UN`` if it is not in the dictionary.

        Tags with a choice have the VR that Orthanc writes: ``US`` for *US or SS*, ``OB`` or ``OW``.
        """
        entry = self.find(tag, private_creator)
        return "UN" if entry is None else entry.vr

    def find(self, tag: Tag, private_creator: str | None = None) -> DictionaryEntry | None:
        """Return the entry of a tag, None if it has none.

        Parameters
        ----------
        tag
            An element of a private block is found by the low byte of its number.
        private_creator
            Creator of a private tag; None stands for ``DefaultPrivateCreator``.
        """
        return _find(self._tables, self._own, self._default_creator, tag, private_creator)

    def _is_registered(self, key: PrivateKey) -> bool:
        creator, tag = key
        if creator:
            return False
        element = tag & 0xFFFF
        if is_private(tag):
            return element == 0 or 0x10 <= element <= 0xFF
        return self._tables.public(tag) is not None


def _find(
    tables: Tables,
    own: _Own,
    default_creator: str,
    tag: Tag,
    private_creator: str | None,
) -> DictionaryEntry | None:
    if not tag & 0x10000:
        return (own.get(("", tag)) if own else None) or tables.public(tag)
    element = tag & 0xFFFF
    creator = default_creator if private_creator is None else private_creator
    entry = own.get((creator, tag)) or (own.get((creator, tag & 0xFFFF00FF)) if creator else None)
    if entry is not None:
        return entry
    legal = tag >> 16 > _LAST_ILLEGAL_GROUP
    if not element:
        return _GROUP_LENGTH if legal else _ILLEGAL_LENGTH
    if 0x10 <= element <= 0xFF:
        return _CREATOR if legal else _ILLEGAL_CREATOR
    return tables.private(tag, creator) if creator else None


def _shown(tables: Tables, own: _Own, default_creator: str, tag: Tag, private_creator: str) -> ShownTag:
    entry = _find(tables, own, default_creator, tag, private_creator)
    key = f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
    return ShownTag(key, UNKNOWN_NAME, "") if entry is None else ShownTag(key, entry.name, entry.vr)


_CREATOR = DictionaryEntry("LO", "PrivateCreator")
_GROUP_LENGTH = DictionaryEntry("UL", "PrivateGroupLength")
_ILLEGAL_CREATOR = DictionaryEntry("LO", "IllegalPrivateCreator")
_ILLEGAL_LENGTH = DictionaryEntry("UL", "IllegalGroupLength")
_LAST_ILLEGAL_GROUP = 7  # PS3.5 section 7.8.1: of private elements
_GENERIC_LENGTH = DictionaryEntry("UL", "GenericGroupLength")
_SPECIAL_NAMES = {
    "PrivateCreator": 0x00090010,
    "PrivateGroupLength": 0x00090000,
    "IllegalPrivateCreator": 0x00010010,
    "IllegalGroupLength": 0x00010000,
    "GenericGroupLength": 0,
}


def _signed(sign: str, digits: str) -> int:
    number = int(digits[-16:], 16)
    return (-number if sign == "-" else number) & 0xFFFF


@functools.cache
def _public_table() -> tuple[dict[int, DictionaryEntry], dict[str, DictionaryEntry]]:
    single: dict[int, DictionaryEntry] = {}
    repeating: dict[str, DictionaryEntry] = {}
    for line in read_lines("dictionary_public.txt"):
        key, vr, name = line.split(" ")
        if "x" in key:
            repeating[key] = DictionaryEntry(vr, name)
        else:
            single[int(key, 16)] = DictionaryEntry(vr, name)
    return single, repeating


@functools.cache
def _public_names() -> dict[str, Tag]:
    single, repeating = _public_table()
    names = {entry.name: int(key.replace("x", "0"), 16) for key, entry in repeating.items()}
    names.update((entry.name, tag) for tag, entry in reversed(single.items()))
    return names | _SPECIAL_NAMES


@functools.lru_cache(maxsize=4096)
def _public_entry(tag: Tag) -> DictionaryEntry | None:
    single, repeating = _public_table()
    entry = single.get(tag)
    if entry is not None:
        return entry
    if not tag & 0xFFFF:
        return _GENERIC_LENGTH
    if tag & 0xFFFFFF01 == 0x00203100:
        return repeating["002031xx"]
    return repeating.get(f"{tag >> 24:02x}xx{tag & 0xFFFF:04x}")


@functools.cache
def _private_table() -> dict[str, dict[str, DictionaryEntry]]:
    creators: dict[str, dict[str, DictionaryEntry]] = {}
    entries: dict[str, DictionaryEntry] = {}
    for line in read_lines("dictionary_private.txt"):
        if line.startswith("["):
            entries = creators.setdefault(line[1:-1], {})
        else:
            key, vr, name = line.split(" ")
            entries[key] = DictionaryEntry(vr, name)
    return creators


@functools.cache
def _private_names() -> dict[str, Tag]:
    found: dict[str, Tag] = {}
    for entries in _private_table().values():
        for key, entry in entries.items():
            found.setdefault(entry.name, int(key.replace("xx", "01"), 16))
    return found


def _private_entry(tag: Tag, creator: str) -> DictionaryEntry | None:
    entries = _private_table().get(creator)
    if entries is None or tag & 0xFFFF < 0x1000:
        return None
    low = f"{tag >> 16:04x}00{tag & 0xFF:02x}"
    return entries.get(low) or entries.get(f"{tag:08x}") or entries.get(f"{low[:2]}xx{low[4:]}")


class BuiltInTables:
    """The two tables beside this module.

    Parameters
    ----------
    private
        Whether the private tags of vendors are known (``LoadPrivateDictionary``).
    """

    def __init__(self, *, private: bool = True) -> None:
        self._private = private

    def public_names(self) -> Mapping[str, Tag]:
        """Return the tags of the standard by name."""
        return _public_names()

    def private_names(self) -> Mapping[str, Tag]:
        """Return the private tags by name."""
        return _private_names() if self._private else {}

    def public(self, tag: Tag) -> DictionaryEntry | None:
        """Return the entry of a tag of the standard."""
        return _public_entry(tag)

    def private(self, tag: Tag, creator: str) -> DictionaryEntry | None:
        """Return the entry of a private tag."""
        return _private_entry(tag, creator) if self._private else None


STANDARD: Final = Dictionary()
"""The dictionary of a server without entries of its own."""
