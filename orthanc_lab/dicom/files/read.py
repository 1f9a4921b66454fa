"""A DICOM file taken apart into a `DataSet` (PS3.5 section 7, PS3.10 section 7).

All transfer syntaxes are read: implicit, explicit, big endian (its numbers are turned around) and
deflated. Pixel data stay encoded.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import (
    EXPLICIT_BE,
    IMPLICIT_LE,
    LONG_VRS,
    SHORT_VRS,
    WORD_SIZES,
    DataSet,
    Element,
    Value,
    swapped,
)
from orthanc_lab.dicom.files.text import text_bytes
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = [
    "DEFLATED",
    "EXPLICIT_BE",
    "IMPLICIT_LE",
    "MAX_DEPTH",
    "MAX_INFLATED",
    "US_OR_SS",
    "DicomFile",
    "creator_of",
    "read_file",
]

MAX_DEPTH = 150
"""Sequences nested deeper than this are refused, so that no file exhausts the stack."""

MAX_INFLATED = 1 << 29
"""A deflated data set of more bytes than this is refused."""

DEFLATED = "1.2.840.10008.1.2.1.99"

_PIXEL_DATA = 0x7FE00010
_PIXEL_REPRESENTATION = 0x00280103
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF

US_OR_SS = frozenset(
    {0x00280071, 0x00280104, 0x00280105, 0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280110, 0x00280111}
    | {0x00280120, 0x00280121, 0x00281100, 0x00281101, 0x00281102, 0x00281103, 0x00281111, 0x00281112, 0x00281113}
    | {0x00283002, 0x00189810, 0x00221452, 0x00409211, 0x00409216, 0x00603004, 0x00603006}
)
"""Tags that are US or SS, as Pixel Representation of the same item says."""

_SIGNED = Element("US", b"\1\0")
_VRS: dict[bytes, str] = {vr.encode(): vr for vr in LONG_VRS | SHORT_VRS}
_LONG = frozenset(vr.encode() for vr in LONG_VRS)


@dataclass(frozen=True, slots=True)
class DicomFile:
    """What stands in a DICOM file."""

    meta: DataSet  # group 0002; empty for a file without a header
    transfer_syntax: str  # UID; what the bytes look like, if the file does not say
    data_set: DataSet


def read_file(dicom: bytes, dictionary: Dictionary | None = None, *, skip_pixel_data: bool = False) -> DicomFile:
    """Read a DICOM file, or the part of it before the pixel data.

    Parameters
    ----------
    dicom
        The file, with or without preamble and meta header.
    dictionary
        Gives the VR of each tag in an implicit transfer syntax.
    skip_pixel_data
        Leave out the value of the pixel data (no fragments stand for it), and all that follows it.

    Raises
    ------
    OrthancError
        15 if the bytes are no DICOM file, are cut off before the pixel data, or nest too deep.
    """
    try:
        start = 132 if dicom[128:132] == b"DICM" else 0
        meta, start = _read_meta(dicom, start)
        syntax = _syntax_of(meta, dicom, start)
        if syntax == DEFLATED:
            dicom, start = _inflate(dicom[start:]), 0
        reader = _Reader(dicom, syntax, dictionary or Dictionary(), skip_pixel_data)
        data_set, _ = reader.read(start, len(dicom), 0)
    except (struct.error, IndexError) as error:
        raise _broken("an element is cut off") from error
    return DicomFile(meta, syntax, data_set)


def _read_meta(dicom: bytes, start: int) -> tuple[DataSet, int]:
    if dicom[start : start + 2] != b"\x02\x00":
        return {}, start
    explicit = dicom[start + 4 : start + 6].isalpha()
    reader = _Reader(dicom, "" if explicit else IMPLICIT_LE, Dictionary(), False)
    return reader.read(start, len(dicom), 0, only_group=2)


def _syntax_of(meta: DataSet, dicom: bytes, start: int) -> str:
    stated = meta.get(0x00020010)
    if stated is not None and isinstance(stated.value, bytes):
        return stated.value.rstrip(b"\0 ").decode("latin-1")
    if dicom[start + 4 : start + 6] in _VRS:
        return EXPLICIT_BE if dicom[start : start + 1] == b"\0" else "1.2.840.10008.1.2.1"
    return IMPLICIT_LE


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        result = inflater.decompress(data, MAX_INFLATED)
    except zlib.error as error:
        raise _broken("the deflated data set is damaged") from error
    if inflater.unconsumed_tail:
        raise _broken(f"the deflated data set has more than {MAX_INFLATED} bytes")
    return result


def _broken(why: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Cannot parse an invalid DICOM file: {why}")


class _Reader:
    """Reads the elements of one file; positions are bytes from its start."""

    def __init__(self, data: bytes, syntax: str, dictionary: Dictionary, skip_pixel_data: bool) -> None:
        self._data = data
        self._implicit = syntax == IMPLICIT_LE
        self._big = syntax == EXPLICIT_BE
        self._dictionary = dictionary
        self._skip = skip_pixel_data
        order = ">" if self._big else "<"
        self._header = struct.Struct(order + "HH2sH").unpack_from
        self._plain = struct.Struct(order + "HHI").unpack_from
        self._long = struct.Struct(order + "I").unpack_from

    def read(self, position: int, end: int, depth: int, *, only_group: int | None = None) -> tuple[DataSet, int]:
        """Read elements up to `end`, an item delimiter, or (with `only_group`) another group."""
        if depth > MAX_DEPTH:
            raise _broken(f"sequences are nested more than {MAX_DEPTH} levels deep")
        data = self._data
        found: DataSet = {}
        implicit, header, vrs, long_vrs = self._implicit, self._header, _VRS, _LONG
        while position + 8 <= end:
            group, element, code, length = header(data, position)
            tag = group << 16 | element
            if tag == _ITEM_END:
                return found, position + 8
            if only_group is not None and group != only_group:
                return found, position
            if implicit or group == 0xFFFE:
                length = self._plain(data, position)[2]
                vr = self._implicit_vr(tag, found)
                position += 8
            else:
                known = vrs.get(code)
                vr = known or code.decode("latin-1")
                if code in long_vrs or (known is None and code.isalpha() and code.isupper()):
                    (length,) = self._long(data, position + 8)
                    position += 12
                else:
                    position += 8
            if tag == _PIXEL_DATA and self._skip and not depth:
                found[tag] = Element(vr, ())
                return found, end
            value: Value
            if length == _UNDEFINED or vr == "SQ":
                stop = end if length == _UNDEFINED else position + length
                if stop > end:
                    raise _broken(f"the length of ({group:04x},{element:04x}) goes beyond the end")
                if length == _UNDEFINED and (tag == _PIXEL_DATA or vr in ("OB", "OW")):
                    value, position = self._fragments(position, stop)
                else:
                    value, position = self._sequence(vr, position, stop, depth)
                vr = "SQ" if isinstance(value, list) else vr
            else:
                after = position + length
                if after > end:
                    if tag != _PIXEL_DATA:
                        raise _broken(f"the length of ({group:04x},{element:04x}) goes beyond the end")
                    after = end
                value = data[position:after]
                position = after
                if self._big and vr in WORD_SIZES:
                    value = swapped(value, WORD_SIZES[vr])
            found.setdefault(tag, Element(vr, value))
        return found, end

    def _implicit_vr(self, tag: int, found: DataSet) -> str:
        if tag in US_OR_SS:
            return "SS" if found.get(_PIXEL_REPRESENTATION) == _SIGNED else "US"
        return self._dictionary.vr_of(tag, creator_of(tag, found))

    def _sequence(self, vr: str, position: int, stop: int, depth: int) -> tuple[list[DataSet], int]:
        if vr != "UN" or self._implicit:
            return self._items(position, stop, depth)
        self._implicit = True  # PS3.5 section 6.2.2: UN of undefined length holds implicit little endian
        try:
            return self._items(position, stop, depth)
        finally:
            self._implicit = False

    def _items(self, position: int, end: int, depth: int) -> tuple[list[DataSet], int]:
        items: list[DataSet] = []
        while position + 8 <= end:
            group, element, length = self._plain(self._data, position)
            tag = group << 16 | element
            position += 8
            if tag == _SEQUENCE_END:
                return items, position
            if tag != _ITEM:
                raise _broken(f"({group:04x},{element:04x}) stands where an item of a sequence should")
            stop = end if length == _UNDEFINED else position + length
            if stop > end:
                raise _broken("an item is longer than its sequence")
            item, position = self.read(position, stop, depth + 1)
            items.append(item)
        return items, end

    def _fragments(self, position: int, end: int) -> tuple[tuple[bytes, ...], int]:
        fragments = []
        while position + 8 <= end:
            group, element, length = self._plain(self._data, position)
            position += 8
            if group << 16 | element != _ITEM:
                break
            fragments.append(self._data[position : min(position + length, end)])
            position += length
        return tuple(fragments), min(position, end)


def creator_of(tag: int, data_set: DataSet) -> str | None:
    """Return the private creator of an element of a data set; None if it has none (PS3.5 section 7.8.1)."""
    if not tag & 0x10000 or tag & 0xFFFF < 0x1000:
        return None
    element = data_set.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
    if element is None or element.vr != "LO" or not isinstance(element.value, bytes):
        return None
    return text_bytes(element.value).decode("latin-1")
