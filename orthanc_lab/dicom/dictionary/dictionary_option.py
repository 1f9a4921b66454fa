"""The configuration option ``Dictionary``: reading it, with Orthanc's errors.

An entry is ``"GGGG,EEEE": [VR, name, minimum multiplicity, maximum multiplicity, private creator]``;
the last three may be left out (Orthanc Book, "Dictionary of private DICOM tags").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["PrivateKey", "read_dictionary_option"]

PrivateKey = tuple[str, int]
"""The private creator (empty for none) and the tag of an entry."""

_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OF", "OW", "PN"}
    | {"SH", "SL", "SQ", "SS", "ST", "TM", "UI", "UL", "UN", "US", "UT"}
)
_KNOWN_BUT_REFUSED = frozenset({"OD", "OL", "UC", "UR"})
_TYPES = (str, str, int, int, str)
_UINT32 = range(2**32)


def read_dictionary_option(
    option: Any, parse_tag: Callable[[str], int], is_registered: Callable[[PrivateKey], bool]
) -> Mapping[PrivateKey, tuple[str, str]]:
    """Return the VR and name of each entry.

    Parameters
    ----------
    option
        The value in the configuration; anything but an object counts as empty, as in Orthanc.
    parse_tag
        Reads the key of an entry; raises 27 for an unknown one.
    is_registered
        Tells whether the built-in dictionary has the tag already.

    Raises
    ------
    OrthancError
        27 for a key that is not a tag, 15 for an entry of the wrong shape, 3 for an impossible VR,
        multiplicity or group, 2042 for a tag registered twice.
    """
    found: dict[PrivateKey, tuple[str, str]] = {}
    entries = option if isinstance(option, dict) else {}
    for text in sorted(entries):
        vr, name, creator = _read_entry(text, entries[text])
        tag = parse_tag(text)
        if creator and (not tag & 0x10000 or tag >> 16 < 9):
            raise OrthancError(
                ErrorCode.PARAMETER_OUT_OF_RANGE,
                f"Trying to register private tag ({_text(tag)}), but it must have an odd group >= 0x0009",
            )
        key = (creator, tag)
        if key in found or is_registered(key):
            raise OrthancError(
                ErrorCode.ALREADY_EXISTING_TAG,
                f'Cannot register twice the tag ({_text(tag)}), whose symbolic name is "{name}"',
            )
        found[key] = (vr, name)
    return found


def _read_entry(text: str, entry: Any) -> tuple[str, str, str]:
    if (
        not isinstance(entry, list)
        or not 2 <= len(entry) <= 5
        or any(type(value) is not kind for value, kind in zip(entry, _TYPES, strict=False))
    ):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"The definition of the '{text}' dictionary entry is invalid.")
    vr, name = entry[:2]
    minimum = entry[2] if len(entry) > 2 else 0
    maximum = entry[3] if len(entry) > 3 else 0
    creator = entry[4] if len(entry) > 4 else ""
    if minimum not in _UINT32 or maximum not in _UINT32:
        raise OrthancError(ErrorCode.INTERNAL_ERROR, "LargestInt out of UInt range")
    if vr not in _VRS:
        details = "" if vr in _KNOWN_BUT_REFUSED else f"Unsupported value representation encountered: {vr}"
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
    if minimum < 1 or 0 < maximum < minimum:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    return vr, name, creator


def _text(tag: int) -> str:
    return f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
