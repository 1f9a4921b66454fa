"""DICOM files made of bytes: small, fast, and free to be odd."""

from __future__ import annotations

import itertools
import struct
from typing import Any

EXPLICIT = "1.2.840.10008.1.2.1"
_LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")
_FRESH = itertools.count(1)

TAGS = {
    "charset": (0x00080005, b"CS"),
    "sop_class": (0x00080016, b"UI"),
    "instance": (0x00080018, b"UI"),
    "study_date": (0x00080020, b"DA"),
    "study_time": (0x00080030, b"TM"),
    "accession": (0x00080050, b"SH"),
    "modality": (0x00080060, b"CS"),
    "description": (0x00081030, b"LO"),
    "series_description": (0x0008103E, b"LO"),
    "name": (0x00100010, b"PN"),
    "patient": (0x00100020, b"LO"),
    "study": (0x0020000D, b"UI"),
    "series": (0x0020000E, b"UI"),
    "number": (0x00200013, b"IS"),
    "positions": (0x00200105, b"IS"),
    "acquired": (0x00201002, b"IS"),
    "request": (0x00400275, b"SQ"),
    "pixels": (0x7FE00010, b"OB"),
}


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """Return an element in Explicit VR Little Endian."""
    if len(value) % 2 and vr != b"SQ":
        value += b"\0" if vr in (b"UI", b"OB", b"UN") else b" "
    group, number = tag >> 16, tag & 0xFFFF
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def meta_header(transfer_syntax: str = EXPLICIT) -> bytes:
    """Return preamble and meta header."""
    body = element(0x00020010, b"UI", transfer_syntax.encode())
    return bytes(128) + b"DICM" + element(0x00020000, b"UL", struct.pack("<I", len(body))) + body


def dicom(**values: Any) -> bytes:
    """Return a DICOM file; by default a new instance of one series. None leaves a tag out.

    Names are those of `TAGS`; values are text (UTF-8) or bytes.
    """
    known: dict[str, Any] = {
        "charset": "ISO_IR 192",
        "sop_class": "1.2.840.10008.5.1.4.1.1.7",
        "patient": "P",
        "study": "1.2",
        "series": "1.2.3",
        "instance": f"1.2.3.{next(_FRESH)}",
    }
    known |= values
    elements = sorted((*TAGS[name], value) for name, value in known.items() if value is not None)
    return meta_header() + b"".join(
        element(tag, vr, value if isinstance(value, bytes) else value.encode()) for tag, vr, value in elements
    )


LARGE = bytes(range(256)) * 400
"""Pixel data that make a file large enough to be one of its own in the storage area."""
