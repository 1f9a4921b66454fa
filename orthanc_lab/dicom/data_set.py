"""A DICOM data set as plain bytes, and how it is written (PS3.5 section 7, PS3.10 section 7).

Values stay encoded: nothing is parsed that nobody asked for, so that files of any size are
taken apart and put together at the speed of a copy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["EXPLICIT_LE", "LONG_VRS", "DataSet", "Element", "Value", "encode", "encode_file", "padded"]

EXPLICIT_LE = "1.2.840.10008.1.2.1"
IMPLEMENTATION_CLASS_UID = "1.2.276.0.7230010.3.0.3.6.9"
IMPLEMENTATION_VERSION_NAME = "OFFIS_DCMTK_369"

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""The VRs whose length takes four bytes in an explicit transfer syntax (PS3.5 table 7.1-1)."""

_SHORT_HEADER = struct.Struct("<HH2sH")
_LONG_HEADER = struct.Struct("<HH2sHI")
_ITEM_HEADER = struct.Struct("<HHI")
_UNDEFINED = 0xFFFFFFFF


class Element(NamedTuple):
    """A value with its VR; bytes are little-endian and of even length, a list is a sequence."""

    vr: str
    value: Value


DataSet = dict[int, Element]
"""Elements by tag, ``0x00100010``; written in the order of the tags."""

Value = bytes | list[DataSet] | tuple[bytes, ...]
"""Bytes, the items of a sequence, or the items of encapsulated pixel data (offset table first)."""


def padded(value: bytes, pad: bytes = b"\x00") -> bytes:
    """Return `value` with one more byte if its length is odd."""
    return value + pad if len(value) & 1 else value


def encode(data_set: DataSet) -> Iterator[bytes]:
    """Write a data set in Explicit VR Little Endian, piece by piece."""
    for tag in sorted(data_set):
        vr, value = data_set[tag]
        if isinstance(value, bytes):
            yield _header(tag, vr, len(value))
            yield value
        elif isinstance(value, list):
            items = b"".join(_items(value))
            yield _header(tag, vr, len(items))
            yield items
        else:
            yield _header(tag, vr, _UNDEFINED)
            for fragment in value:
                yield _ITEM_HEADER.pack(0xFFFE, 0xE000, len(fragment))
                yield fragment
            yield _ITEM_HEADER.pack(0xFFFE, 0xE0DD, 0)


def encode_file(data_set: DataSet, transfer_syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header."""
    meta: DataSet = {
        0x00020001: Element("OB", b"\x00\x01"),
        0x00020002: _uid(sop_class),
        0x00020003: _uid(sop_instance),
        0x00020010: _uid(transfer_syntax),
        0x00020012: _uid(IMPLEMENTATION_CLASS_UID),
        0x00020013: Element("SH", padded(IMPLEMENTATION_VERSION_NAME.encode(), b" ")),
    }
    head = b"".join(encode(meta))
    length = _header(0x00020000, "UL", 4) + struct.pack("<I", len(head))
    return b"".join((bytes(128), b"DICM", length, head, *encode(data_set)))


def _items(items: list[DataSet]) -> Iterator[bytes]:
    for item in items:
        body = b"".join(encode(item))
        yield _ITEM_HEADER.pack(0xFFFE, 0xE000, len(body))
        yield body


def _header(tag: int, vr: str, length: int) -> bytes:
    if vr in LONG_VRS:
        return _LONG_HEADER.pack(tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return _SHORT_HEADER.pack(tag >> 16, tag & 0xFFFF, vr.encode(), length)


def _uid(uid: str) -> Element:
    return Element("UI", padded(uid.encode("latin-1", "replace")))
