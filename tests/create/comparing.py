"""Two servers, one body: what both made of it, without what is new each time."""

from __future__ import annotations

import re
from typing import Any

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile

__all__ = ["comparable", "differences"]

_UID = re.compile(rb"(?:2\.25\.|1\.2\.276\.0\.7230010\.3\.1\.[234]\.)[0-9.]+\0?\Z")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NOW = re.compile(rb"20[0-9]{6}\Z|[0-9]{6}\.000000 \Z")
_DATES = frozenset({0x00080012, 0x00080013, *range(0x00080020, 0x00080024), *range(0x00080030, 0x00080034)})


def comparable(outcome: Any) -> Any:
    """Return an outcome with data sets in the place of files, and marks in the place of what is new."""
    if not isinstance(outcome, tuple):
        return outcome
    keys, files = outcome
    return keys, [(file.transfer_syntax, _of(file)) for file in files]


def _of(file: DicomFile) -> dict[int, Any]:
    meta = {tag: element for tag, element in file.meta.items() if tag != 0x00020000}
    return without_what_is_new({**meta, **file.data_set})


def without_what_is_new(data_set: DataSet) -> dict[int, Any]:
    """Return a data set with marks in the place of new identifiers, dates and times."""
    return {tag: (element.vr, _value(tag, element.value)) for tag, element in data_set.items()}


def _value(tag: int, value: Any) -> Any:
    if isinstance(value, list):
        return [without_what_is_new(item) for item in value]
    if not isinstance(value, bytes):
        return value
    if _UID.match(value):
        return "a new UID"
    if _UUID.match(value):
        return "a new UUID"
    if value.startswith(b"Anonymized"):
        return "a new name"
    return "now" if tag in _DATES and _NOW.match(value) else value


def differences(ours: Any, real: Any) -> list[str]:
    """Return how two outcomes differ, in words."""
    ours, real = comparable(ours), comparable(real)
    if ours == real:
        return []
    if not (isinstance(ours, tuple) and isinstance(real, tuple)) or len(ours[1]) != len(real[1]):
        return [f"ours {str(ours)[:300]}, real {str(real)[:300]}"]
    found = [] if ours[0] == real[0] else [f"keys: ours {ours[0]}, real {real[0]}"]
    for (our_syntax, mine), (real_syntax, theirs) in zip(ours[1], real[1], strict=True):
        if our_syntax != real_syntax:
            found.append(f"transfer syntax: ours {our_syntax}, real {real_syntax}")
        for tag in sorted(mine.keys() | theirs.keys()):
            if mine.get(tag) != theirs.get(tag):
                found.append(f"{tag:08x}: ours {str(mine.get(tag))[:200]}, real {str(theirs.get(tag))[:200]}")
    return found
