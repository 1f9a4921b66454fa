"""Reading a whole DICOM file into a `DataSet` (PS3.5 section 7, PS3.10 section 7)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from orthanc_lab.dicom.data_set import EXPLICIT_LE, LONG_VRS, DataSet, Element
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["IMPLICIT_LE", "MAX_DEPTH", "DicomFile", "read_file"]

IMPLICIT_LE = "1.2.840.10008.1.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

MAX_DEPTH = 200
"""Sequences nested deeper are refused, so that no file exhausts the stack."""


class DicomFile(NamedTuple):
    """A file taken apart; values are little-endian, whatever the transfer syntax."""

    meta: DataSet
    data_set: DataSet
    transfer_syntax: str


def read_file(dicom: bytes, vr_of: Callable[[int, str], str]) -> DicomFile:
    """Take a DICOM file apart.

    Parameters
    ----------
    dicom
        The file (Part 10).
    vr_of
        VR of a tag with a private creator, for the implicit transfer syntax.

    Raises
    ------
    OrthancError
        15 if it is no DICOM file, or broken.
    """
    if dicom[128:132] != b"DICM":
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    try:
        meta, start = _read_meta(dicom)
        syntax = _text(meta.get(0x00020010)) or EXPLICIT_LE
        if syntax == _DEFLATED:
            dicom, start = zlib.decompressobj(-15).decompress(dicom[start:]), 0
        order = ">" if syntax == _BIG_ENDIAN else "<"
        reader = _Reader(dicom, vr_of, explicit=syntax != IMPLICIT_LE, order=order)
        return DicomFile(meta, reader.data_set(start, len(dicom), 0)[0], syntax)
    except (struct.error, IndexError, zlib.error, UnicodeDecodeError) as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error


def _read_meta(dicom: bytes) -> tuple[DataSet, int]:
    reader = _Reader(dicom, lambda tag, creator: "UN", explicit=True, order="<")
    return reader.data_set(132, len(dicom), 0, last_group=2)


def _text(element: Element | None) -> str:
    value = b"" if element is None else element.value
    return value.rstrip(b"\0 ").decode("ascii") if isinstance(value, bytes) else ""


class _Reader:
    """One pass over the bytes of a data set in one transfer syntax."""

    def __init__(self, data: bytes, vr_of: Callable[[int, str], str], *, explicit: bool, order: str) -> None:
        self._data = data
        self._vr_of = vr_of
        self._explicit = explicit
        self._order = order
        self._tag = struct.Struct(order + "HH").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._long = struct.Struct(order + "I").unpack_from

    def data_set(self, start: int, end: int, depth: int, *, last_group: int = 0xFFFF) -> tuple[DataSet, int]:
        """Return the elements from `start`, and where they end: at `end`, a delimiter or another group."""
        if depth > MAX_DEPTH:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Sequences nested more than {MAX_DEPTH} levels deep")
        result: DataSet = {}
        position = start
        while position + 8 <= end:
            group, number = self._tag(self._data, position)
            tag = group << 16 | number
            if group > last_group:
                break
            if tag == _ITEM_END:
                return result, position + 8
            vr, length, position = self._header(tag, position + 4, result)
            stop = end if length == _UNDEFINED else position + length
            if stop > end:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
            if vr == "SQ" or length == _UNDEFINED:
                element, position = self._nested(tag, vr, position, stop, depth, bounded=length != _UNDEFINED)
            else:
                element, position = Element(vr, self._native(vr, self._data[position:stop])), stop
            result[tag] = element
        return result, position

    def _header(self, tag: int, position: int, before: DataSet) -> tuple[str, int, int]:
        """Return VR, length and where the value begins."""
        if not self._explicit:
            return self._implicit_vr(tag, before), self._long(self._data, position)[0], position + 4
        vr = self._data[position : position + 2].decode("ascii")
        if vr in LONG_VRS:
            return vr, self._long(self._data, position + 4)[0], position + 8
        if not vr.isalpha():
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        return vr, self._short(self._data, position + 2)[0], position + 4

    def _implicit_vr(self, tag: int, before: DataSet) -> str:
        creator = ""
        if tag & 0x10000 and tag & 0xFFFF >= 0x1000:
            block = before.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
            value = b"" if block is None else block.value
            creator = value.rstrip(b"\0 ").decode("latin-1") if isinstance(value, bytes) else ""
        return self._vr_of(tag, creator)

    def _nested(self, tag: int, vr: str, start: int, end: int, depth: int, *, bounded: bool) -> tuple[Element, int]:
        if vr != "SQ" and tag == 0x7FE00010:
            fragments, position = self._fragments(start, end)
            return Element(vr, fragments), position
        # An unknown VR of undefined length is a sequence in implicit encoding (PS3.5 section 6.2.2).
        reader = _Reader(self._data, self._vr_of, explicit=False, order="<") if vr == "UN" else self
        items, position = reader._items(start, end, depth, bounded=bounded)
        return Element("SQ", items), position

    def _items(self, position: int, end: int, depth: int, *, bounded: bool) -> tuple[list[DataSet], int]:
        items: list[DataSet] = []
        while position < end:
            group, number = self._tag(self._data, position)
            length = self._long(self._data, position + 4)[0]
            position += 8
            tag = group << 16 | number
            if tag == _SEQUENCE_END:
                break
            stop = end if length == _UNDEFINED else position + length
            if tag != _ITEM or stop > end:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
            item, position = self.data_set(position, stop, depth + 1)
            items.append(item)
        else:
            if not bounded:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
        return items, end if bounded else position

    def _fragments(self, position: int, end: int) -> tuple[tuple[bytes, ...], int]:
        fragments: list[bytes] = []
        while position + 8 <= end:
            group, number = self._tag(self._data, position)
            length = self._long(self._data, position + 4)[0]
            position += 8
            if (group, number) == (0xFFFE, 0xE0DD):
                return tuple(fragments), position
            if (group, number) != (0xFFFE, 0xE000) or position + length > end:
                break
            fragments.append(self._data[position : position + length])
            position += length
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)

    def _native(self, vr: str, value: bytes) -> bytes:
        size = _WORD_SIZES.get(vr, 1)
        return value if self._order == "<" or size == 1 else swap_bytes(value, size)


_WORD_SIZES = {
    **dict.fromkeys(("US", "SS", "OW", "AT"), 2),
    **dict.fromkeys(("UL", "SL", "FL", "OL", "OF"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "UV", "SV"), 8),
}


def swap_bytes(value: bytes, size: int) -> bytes:
    """Return `value` with the bytes of each word of `size` bytes in the other order."""
    swapped = bytearray(value)
    whole = len(value) - len(value) % size
    for offset in range(size):
        swapped[offset:whole:size] = value[size - 1 - offset : whole : size]
    return bytes(swapped)
