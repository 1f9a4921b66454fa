"""A DICOM data set as plain bytes, and how it is written (PS3.5 section 7, PS3.10 section 7).

Values stay encoded: only what is asked for is parsed, so that files of any size are
read and written at the speed of a copy.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any, NamedTuple

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, SHORT_VRS, STRING_VRS, WORD_SIZES
from orthanc_lab.protocol.huge_pages import use_huge_pages
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

__all__ = [
    "DataSet",
    "Element",
    "Pieces",
    "Room",
    "Value",
    "encode",
    "encode_file",
    "encode_head",
    "joined",
    "padded",
    "swapped",
]

IMPLEMENTATION_CLASS_UID = "1.2.276.0.7230010.3.0.3.6.9"
IMPLEMENTATION_VERSION_NAME = "OFFIS_DCMTK_369"
NO_SOP_CLASS = "1.2.276.0.7230010.3.1.0.1"
"""What DCMTK, and so Orthanc, states in the meta header of a file whose data set has no SOPClassUID."""

_UNDEFINED = 0xFFFFFFFF


class Element(NamedTuple):
    """A value with its VR; bytes are little-endian, a list is a sequence."""

    vr: str
    value: Value


DataSet = dict[int, Element]
"""Elements by tag, ``0x00100010``; written in the order of the tags."""

Value = bytes | list[DataSet] | tuple[bytes, ...]
"""Bytes, the items of a sequence, or the items of encapsulated pixel data (offset table first)."""


class Pieces(tuple[bytes, ...]):
    """Native pixel data in pieces that are not joined yet: only for a file that is being written."""

    __slots__ = ()


class Room:
    """A piece that is not made yet: when the pieces are joined, it is written into its place in the file.

    Parameters
    ----------
    size
        Its bytes.
    fill
        Writes all of them into the memory that it is given.
    """

    __slots__ = ("fill", "size")

    def __init__(self, size: int, fill: Callable[[memoryview], None]) -> None:
        self.size = size
        self.fill = fill

    def __len__(self) -> int:
        return self.size


def joined(pieces: Iterable[Any]) -> bytes:
    """Return the bytes of pieces, among which may be a `Room`."""
    listed = list(pieces)
    if not any(isinstance(piece, Room) for piece in listed):
        return b"".join(listed)
    # Fresh zeros take no time, and nobody else has them, so `BytesIO` neither copies them here nor at the end.
    whole = BytesIO(bytes(sum(map(len, listed))))
    view = whole.getbuffer()
    use_huge_pages(view)
    end = 0
    for piece in listed:
        start, end = end, end + len(piece)
        if isinstance(piece, Room):
            piece.fill(view[start:end])
        else:
            view[start:end] = piece
    view.release()
    return whole.getvalue()


def padded(value: bytes, pad: bytes = b"\x00") -> bytes:
    """Return `value`, with one more byte if its length is odd."""
    return value + pad if len(value) & 1 else value


def swapped(value: bytes, size: int) -> bytes:
    """Return `value` with the bytes of each complete word of `size` bytes reversed."""
    whole = len(value) // size * size
    result = bytearray(value)
    for index in range(size):
        result[index:whole:size] = value[size - 1 - index : whole : size]
    return bytes(result)


def encode(data_set: DataSet, transfer_syntax: str = EXPLICIT_LE) -> Iterator[bytes]:
    """Write a data set piece by piece.

    Parameters
    ----------
    transfer_syntax
        UID; for a compressed one the data set is Explicit VR Little Endian.
    """
    return _Writer(transfer_syntax).data_set(data_set)


def encode_file(data_set: DataSet, transfer_syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header; the data set is not deflated."""
    head = encode_head(transfer_syntax, sop_class, sop_instance)
    return joined((head, *encode(data_set, transfer_syntax)))


def encode_head(transfer_syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """Write what precedes the data set of a DICOM file: the preamble and a fresh meta header."""
    meta: DataSet = {
        tags.FILE_META_INFORMATION_VERSION: Element("OB", b"\x00\x01"),
        tags.MEDIA_STORAGE_SOP_CLASS_UID: _uid(sop_class),
        tags.MEDIA_STORAGE_SOP_INSTANCE_UID: _uid(sop_instance),
        tags.TRANSFER_SYNTAX_UID: _uid(transfer_syntax),
        tags.IMPLEMENTATION_CLASS_UID: _uid(IMPLEMENTATION_CLASS_UID),
        tags.IMPLEMENTATION_VERSION_NAME: Element("SH", padded(IMPLEMENTATION_VERSION_NAME.encode(), b" ")),
    }
    head = b"".join(encode(meta))
    length = b"".join(encode({tags.FILE_META_INFORMATION_GROUP_LENGTH: Element("UL", struct.pack("<I", len(head)))}))
    return b"".join((bytes(128), b"DICM", length, head))


class _Writer:
    """Writes data sets in one transfer syntax."""

    def __init__(self, transfer_syntax: str) -> None:
        order = ">" if transfer_syntax == EXPLICIT_BE else "<"
        self._implicit = transfer_syntax == IMPLICIT_LE
        self._big = transfer_syntax == EXPLICIT_BE
        self._short = struct.Struct(order + "HH2sH").pack
        self._long = struct.Struct(order + "HH2sHI").pack
        self._plain = struct.Struct(order + "HHI").pack
        self._number = struct.Struct(order + "I").pack

    def data_set(self, data_set: DataSet) -> Iterator[bytes]:
        """Yield the elements in the order of their tags; stated lengths of groups are brought up to date."""
        return self._elements(data_set, sorted(data_set))

    def _elements(self, data_set: DataSet, tags: list[int]) -> Iterator[bytes]:
        for tag in tags:
            vr, value = data_set[tag]
            if isinstance(value, bytes):
                if not tag & 0xFFFF and tag >> 16 > 2:
                    group = [other for other in tags if other >> 16 == tag >> 16 and other != tag]
                    yield self._header(tag, "UL", 4)
                    yield self._number(sum(map(len, self._elements(data_set, group))))
                    continue
                if len(value) & 1:
                    value += b" " if vr in STRING_VRS else b"\0"
                yield self._header(tag, vr, len(value))
                yield swapped(value, WORD_SIZES[vr]) if self._big and vr in WORD_SIZES else value
            elif isinstance(value, Pieces):
                length = sum(map(len, value))
                yield self._header(tag, vr, length + (length & 1))
                yield from value
                if length & 1:
                    yield b"\0"
            elif isinstance(value, list):
                items = b"".join(self._items(value))
                yield self._header(tag, "SQ", len(items))
                yield items
            else:
                yield self._header(tag, vr, _UNDEFINED)
                for fragment in map(padded, value):
                    yield self._plain(0xFFFE, 0xE000, len(fragment))
                    yield fragment
                yield self._plain(0xFFFE, 0xE0DD, 0)

    def _items(self, items: list[DataSet]) -> Iterator[bytes]:
        for item in items:
            body = b"".join(self.data_set(item))
            yield self._plain(0xFFFE, 0xE000, len(body))
            yield body

    def _header(self, tag: int, vr: str, length: int) -> bytes:
        if self._implicit:
            return self._plain(tag >> 16, tag & 0xFFFF, length)
        if vr in SHORT_VRS:
            if length <= 0xFFFF:
                return self._short(tag >> 16, tag & 0xFFFF, vr.encode(), length)
            vr = "UN"  # a value too long for its VR (PS3.5 section 6.2.2, note 5)
        return self._long(tag >> 16, tag & 0xFFFF, vr.encode() if vr in LONG_VRS else b"UN", 0, length)


def _uid(uid: str) -> Element:
    return Element("UI", padded(uid.encode("latin-1", "replace")))
