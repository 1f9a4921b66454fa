"""Names and numbers that standards and Orthanc itself have given: they say nothing about anybody."""

from __future__ import annotations

import functools

from orthanc_lab.dicom.dictionary.dictionary import STANDARD, UNKNOWN_NAME, BuiltInTables, DictionaryEntry
from orthanc_lab.dicom.dictionary.text_tables import read_lines
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax

__all__ = [
    "entry_of",
    "is_keyword",
    "is_known_creator",
    "is_known_tag",
    "is_registered_uid",
    "is_tag_name",
    "tag_of",
    "tag_of_key",
    "vr_of_private_name",
]

_PROGRAMS = frozenset(
    {"1.2.276.0.7230010.3.0.3.6.9", "1.2.276.0.7230010.3.0.3.6.7", "1.2.826.0.1.3680043.8.498.1"}
    | {"1.2.826.0.1.3680043.9.3811.3.0.0", "1.2.276.0.7230010.3.0.3.6.8", "1.2.276.0.7230010.3.0.3.6.4"}
)
"""Implementation class UIDs of DCMTK, pydicom and pynetdicom."""


def is_registered_uid(uid: str) -> bool:
    """Tell whether a UID is one of the standard's (SOP classes, transfer syntaxes …), or names a known program.

    Examples
    --------
    >>> is_registered_uid("1.2.840.10008.5.1.4.1.1.2"), is_registered_uid("1.2.840.10008.5.1.4.1.1.2.3.4.5")
    (True, False)
    """
    return uid in _uids() or uid in _PROGRAMS or find_transfer_syntax(uid) is not None


@functools.cache
def _uids() -> frozenset[str]:
    return frozenset(line.split(" ")[1] for line in read_lines("uid_names.txt"))


def is_known_creator(text: str) -> bool:
    """Tell whether a private creator is that of a vendor, as the dictionary lists them."""
    return text in _creators()


@functools.cache
def _creators() -> frozenset[str]:
    return frozenset(line[1:-1] for line in read_lines("dictionary_private.txt") if line.startswith("["))


def is_keyword(text: str) -> bool:
    """Tell whether a text is the keyword of a tag of the standard."""
    return text in _names()


def is_tag_name(text: str) -> bool:
    """Tell whether a text is what Orthanc calls a tag: also a private one of the dictionary, or an unknown one."""
    return text in _names() or text in _private_vrs() or text == UNKNOWN_NAME


def vr_of_private_name(text: str) -> str:
    """Return the VR of a private tag by its name in the dictionary, "" for another name."""
    return _private_vrs().get(text, "")


@functools.cache
def _private_vrs() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in read_lines("dictionary_private.txt"):
        if not line.startswith("["):
            _, vr, name = line.split(" ")
            found.setdefault(name, vr)
    return found


def tag_of_key(text: str) -> int | None:
    """Return the tag that a key of JSON names: by keyword, or as ``0010,0010``, ``0010-0010`` or ``00100010``.

    Examples
    --------
    >>> hex(tag_of_key("PatientID")), hex(tag_of_key("0010,0020")), tag_of_key("State")
    ('0x100020', '0x100020', None)
    """
    tag = _names().get(text)
    return tag_of(text) if tag is None else tag


def tag_of(text: str) -> int | None:
    """Return the tag of a text that is four and four hexadecimal digits."""
    digits = text[:4] + text[5:] if len(text) == 9 and text[4] in ",-" else text
    if len(digits) != 8:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def is_known_tag(text: str) -> bool:
    """Tell whether a text is the number of a tag of the standard."""
    tag = tag_of(text)
    return tag is not None and not tag & 0x10000 and bool(tag & 0xFFFF) and entry_of(tag, None) is not None


@functools.cache
def _names() -> dict[str, int]:
    return dict(BuiltInTables().public_names())


def entry_of(tag: int, creator: str | None) -> DictionaryEntry | None:
    """Return the entry of a tag, None for an unknown one."""
    return STANDARD.find(tag, creator or "")
