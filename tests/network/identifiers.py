"""Identifiers of queries, encoded by hand in Implicit VR Little Endian, so that a value can be anything."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

__all__ = ["UID", "elements", "identifier"]

UID = "1.2.826.0.1.3680043.10.1."  # of the tree of bodies
Value = str | bytes | int | Sequence["Keys"]
Keys = Mapping[str, Value]


def identifier(level: str | None, keys: Keys | None = None, /, **named: Value) -> bytes:
    """Return an identifier; `level` None leaves it out, keys are ``gggg,eeee``."""
    whole = dict(keys or {})
    if level is not None:
        whole["0008,0052"] = level
    return encoded(whole)


def encoded(keys: Keys) -> bytes:
    """Return the elements, sorted; a list is a sequence."""
    return b"".join(_element(tag, keys[tag]) for tag in sorted(keys))


def _element(tag: str, value: Value) -> bytes:
    group, element = (int(part, 16) for part in tag.split(","))
    if isinstance(value, int):
        data = struct.pack("<H", value)
    elif isinstance(value, str):
        data = value.encode("latin-1")
    elif isinstance(value, bytes):
        data = value
    else:
        data = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in map(encoded, value))
    pad = (b"\0" if tag in _UIDS else b" ") if len(data) & 1 else b""
    return struct.pack("<HHI", group, element, len(data + pad)) + data + pad


_UIDS = {"0020,000d", "0020,000e", "0008,0018", "0008,0016", "0008,1195"}


def elements(data: bytes) -> list[str]:
    """Return the elements of a data set in Implicit VR Little Endian as texts."""
    found, position = [], 0
    while position < len(data):
        group, element, length = struct.unpack_from("<HHI", data, position)
        position += 8
        found.append(f"{group:04x},{element:04x} {data[position : position + length]!r}")
        position += length
    return found
