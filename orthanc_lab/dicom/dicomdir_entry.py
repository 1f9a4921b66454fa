"""What a DICOMDIR says of one file, read from the file as plain bytes.

The values keep the character set of their file: they are copied, not decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_lab.dicom.data_set import LONG_VRS
from orthanc_lab.dicom.read import read_file
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["DirectoryEntry", "TruncatedHeader", "read_entry"]

WANTED = frozenset(
    {
        *(0x00020010, 0x00080005, 0x00080016, 0x00080018),
        *(0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00080030, 0x00080031, 0x00080032, 0x00080033),
        *(0x00080050, 0x00080060, 0x00081030, 0x0008103E, 0x00100010, 0x00100020),
        *(0x0020000D, 0x0020000E, 0x00200010, 0x00200011, 0x00200013),
    }
)
_LAST = max(WANTED)
_LONG_VRS = frozenset(vr.encode() for vr in LONG_VRS)
_IMPLICIT = struct.Struct("<HHI")
_UINT32 = struct.Struct("<I")
_UNDEFINED = 0xFFFFFFFF
_IMPLICIT_LE = b"1.2.840.10008.1.2"
_UNUSUAL = frozenset({b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"})  # big endian, deflated
_START = 132
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


class TruncatedHeader(Exception):
    """The bytes end before the last tag of interest."""


class _Unusual(Exception):
    """The file is of a form that is left to the reader of whole files."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """The values that a DICOMDIR copies from a file."""

    values: Mapping[int, bytes]  # by tag; as encoded in the file, without its padding

    def get(self, tag: int) -> bytes:
        """Return a value; empty if it is absent."""
        return self.values.get(tag, b"")


def read_entry(dicom: bytes, *, whole: bool = True) -> DirectoryEntry:
    """Read what a DICOMDIR needs of a DICOM file (PS3.10).

    Parameters
    ----------
    whole
        False if `dicom` is only the beginning of a file.

    Raises
    ------
    OrthancError
        15 if it is no DICOM file, or has no SOP class.
    TruncatedHeader
        If the beginning that was given is too short; never for a whole file.
    """
    try:
        values = _scan(dicom)
    except (_Unusual, TruncatedHeader, struct.error) as problem:
        if not whole:
            raise TruncatedHeader from problem
        values = _read_all(dicom)
    stripped = {tag: value.rstrip(b" \0") for tag, value in values.items()}
    if not stripped.get(0x00080016):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return DirectoryEntry(stripped)


def _read_all(dicom: bytes) -> dict[int, bytes]:
    """Read the values with the reader of whole files, which knows every transfer syntax."""
    file = read_file(dicom)
    elements = {**file.meta, **file.data_set}
    return {tag: value for tag in WANTED if tag in elements and isinstance(value := elements[tag].value, bytes)}


def _scan(dicom: bytes) -> dict[int, bytes]:
    if dicom[128:132] != b"DICM":
        raise _Unusual
    found: dict[int, bytes] = {}
    offset = _walk(dicom, _START, 0x0002FFFF, found, explicit=True)
    syntax = found.get(0x00020010, b"").rstrip(b"\0 ")
    if not syntax or syntax in _UNUSUAL:
        raise _Unusual
    _walk(dicom, offset, _LAST, found, explicit=syntax != _IMPLICIT_LE)
    return found


def _walk(dicom: bytes, offset: int, last: int, found: dict[int, bytes], *, explicit: bool) -> int:
    """Collect the wanted elements up to the tag `last`; return where the first one after it starts."""
    end = len(dicom)
    while offset < end:
        tag, length, value = _header(dicom, offset, explicit)
        if tag > last:
            return offset
        if length == _UNDEFINED:
            offset = _skip_sequence(dicom, value, explicit)
            continue
        offset = value + length
        if offset > end:
            raise TruncatedHeader
        if tag in WANTED:
            found[tag] = dicom[value:offset]
    if last == _LAST:
        return offset
    raise TruncatedHeader


def _header(dicom: bytes, offset: int, explicit: bool) -> tuple[int, int, int]:
    """Return tag, length, and where the value starts."""
    group, element, length = _IMPLICIT.unpack_from(dicom, offset)
    tag = group << 16 | element
    if not explicit or group == 0xFFFE:
        return tag, length, offset + 8
    if dicom[offset + 4 : offset + 6] in _LONG_VRS:
        return tag, _UINT32.unpack_from(dicom, offset + 8)[0], offset + 12
    return tag, length >> 16, offset + 8


def _skip_sequence(dicom: bytes, offset: int, explicit: bool) -> int:
    """Return where a sequence of undefined length ends, whatever is nested in it."""
    depth = 1
    while depth:
        if explicit and dicom[offset + 4 : offset + 6] == b"UN":
            raise _Unusual  # what it holds may be in another encoding
        tag, length, offset = _header(dicom, offset, explicit)
        if tag == _SEQUENCE_END:
            depth -= 1
        elif tag not in (_ITEM, _ITEM_END):
            depth += length == _UNDEFINED
            offset += length if length != _UNDEFINED else 0
        elif tag == _ITEM and length != _UNDEFINED:
            offset += length
    return offset
