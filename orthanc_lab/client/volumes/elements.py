"""Finding a few elements of a DICOM file, and its pixels, without reading the others.

pydicom reads every element, which takes most of the time of a series of small images. What is not common
(a big-endian or deflated file, compressed pixels) is left to it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass

from orthanc_lab.client.volumes.tag_numbers import ITEM, ITEM_END, PIXELS, SEQUENCE_END, TRANSFER_SYNTAX

__all__ = ["Elements", "find_elements"]

_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 16
_TAG = struct.Struct("<HH")
_SHORT = struct.Struct("<H")
_WORD = struct.Struct("<I")


class _Unreadable(Exception):
    """The file is one for pydicom."""


@dataclass(frozen=True, slots=True)
class Elements:
    """Some elements of a file."""

    values: dict[int, bytes]  # by tag: the first of each level that is the outermost
    start: int  # of the pixels
    length: int  # of the pixels, bytes


def find_elements(data: bytes, wanted: Collection[int]) -> Elements | None:
    """Return the wanted elements and the place of the pixels; None for a file that has to be read by pydicom."""
    try:
        return _Finder(data, wanted).find()
    except (_Unreadable, struct.error, IndexError):
        return None


class _Finder:
    def __init__(self, data: bytes, wanted: Collection[int]) -> None:
        self._data = data
        self._wanted = wanted
        self._is_explicit = True

    def find(self) -> Elements:
        data = self._data
        if data[128:132] != b"DICM":
            raise _Unreadable
        at, syntax = 132, b""
        while data[at : at + 2] == b"\x02\x00":
            tag, start, length = self._head(at)
            at = start + length
            if tag == TRANSFER_SYNTAX:
                syntax = data[start:at]
        name = syntax.rstrip(b"\0 ").decode("latin-1")
        if name not in (_IMPLICIT, _EXPLICIT):
            raise _Unreadable
        self._is_explicit = name == _EXPLICIT
        return self._read(at)

    def _read(self, at: int) -> Elements:
        data, wanted = self._data, self._wanted
        values: dict[int, bytes] = {}
        while True:
            tag, start, length = self._head(at)
            if tag == PIXELS:
                if length == _UNDEFINED or start + length > len(data):
                    raise _Unreadable
                return Elements(values, start, length)
            if length == _UNDEFINED:
                at = self._after_sequence(start, 0)
            else:
                at = start + length
                if tag in wanted:
                    values[tag] = data[start:at]

    def _head(self, at: int) -> tuple[int, int, int]:
        """Return the tag of an element, where its value starts, and how long that is."""
        data = self._data
        group, element = _TAG.unpack_from(data, at)
        tag = group << 16 | element
        if not self._is_explicit or group == 0xFFFE:
            return tag, at + 8, _WORD.unpack_from(data, at + 4)[0]
        kind = data[at + 4 : at + 6]
        if kind in _LONG:
            length = _WORD.unpack_from(data, at + 8)[0]
            if kind == b"UN" and length == _UNDEFINED:
                raise _Unreadable  # what is inside is encoded in another way
            return tag, at + 12, length
        return tag, at + 8, _SHORT.unpack_from(data, at + 6)[0]

    def _after_sequence(self, at: int, depth: int) -> int:
        if depth == _DEEPEST:
            raise _Unreadable
        while True:
            tag, start, length = self._head(at)
            if tag == SEQUENCE_END:
                return start
            if tag != ITEM:
                raise _Unreadable
            at = self._after_item(start, depth) if length == _UNDEFINED else start + length

    def _after_item(self, at: int, depth: int) -> int:
        while True:
            tag, start, length = self._head(at)
            if tag == ITEM_END:
                return start
            at = self._after_sequence(start, depth + 1) if length == _UNDEFINED else start + length
