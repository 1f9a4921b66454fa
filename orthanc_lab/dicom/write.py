"""A data set written as a file, in any transfer syntax (PS3.5 section 7 and annex A)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from orthanc_lab.dicom.data_set import LONG_VRS, DataSet, Element, encode_file, padded
from orthanc_lab.dicom.deflate import deflate_raw
from orthanc_lab.dicom.read import DEFLATED, EXPLICIT_BE, IMPLICIT_LE, SWAP_SIZES, turned

__all__ = ["write_file"]

_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_SOP_CLASS = 0x00080016
_SOP_INSTANCE = 0x00080018


def write_file(data_set: DataSet, syntax: str, meta: DataSet | None = None) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header.

    Parameters
    ----------
    data_set
        Its pixel data are compressed already, where the transfer syntax says so.
    syntax
        Transfer syntax UID.
    meta
        The meta header the data set came with: its class and instance stand in for missing ones.
    """
    sop_class = _uid(data_set, _SOP_CLASS) or _uid(meta or {}, 0x00020002)
    sop_instance = _uid(data_set, _SOP_INSTANCE) or _uid(meta or {}, 0x00020003)
    head = encode_file({}, syntax, sop_class, sop_instance)
    body = b"".join(_Writer(syntax).data_set(data_set))
    if syntax == DEFLATED:
        body = padded(deflate_raw(body))
    return head + body


class _Writer:
    def __init__(self, syntax: str) -> None:
        self._implicit = syntax == IMPLICIT_LE
        self._big = syntax == EXPLICIT_BE
        order = ">" if self._big else "<"
        self._short = struct.Struct(order + "HH2sH").pack
        self._long = struct.Struct(order + "HH2sHI").pack
        self._plain = struct.Struct(order + "HHI").pack

    def data_set(self, data_set: DataSet) -> Iterator[bytes]:
        for tag in sorted(data_set):
            if tag & 0xFFFF:  # group lengths are out of date; the standard retired them
                yield from self._element(tag, data_set[tag])

    def _element(self, tag: int, element: Element) -> Iterator[bytes]:
        vr, value = element
        if isinstance(value, list):
            items = b"".join(part for item in value for part in self._item(item))
            yield self._head(tag, vr, len(items))
            yield items
        elif isinstance(value, tuple):
            yield self._head(tag, vr, _UNDEFINED)
            for fragment in value:
                yield self._plain(0xFFFE, 0xE000, len(fragment) + (len(fragment) & 1))
                yield padded(fragment)
            yield self._plain(0xFFFE, 0xE0DD, 0)
        else:
            value = padded(value, b" " if vr in _PADDED_WITH_SPACE else b"\0")
            yield self._head(tag, vr, len(value))
            yield turned(value, SWAP_SIZES[vr]) if self._big and vr in SWAP_SIZES else value

    def _item(self, item: DataSet) -> Iterator[bytes]:
        body = b"".join(self.data_set(item))
        yield self._plain(0xFFFE, 0xE000, len(body))
        yield body

    def _head(self, tag: int, vr: str, length: int) -> bytes:
        group, element = tag >> 16, tag & 0xFFFF
        if self._implicit:
            return self._plain(group, element, length)
        if vr in LONG_VRS or not vr.isalpha():
            return self._long(group, element, vr.encode("latin-1"), 0, length)
        if length > 0xFFFF:  # PS3.5 section 6.2.2 note: such a value fits into UN alone
            return self._long(group, element, b"UN", 0, length)
        return self._short(group, element, vr.encode("latin-1"), length)


_PADDED_WITH_SPACE = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
)


def _uid(data_set: DataSet, tag: int) -> str:
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return element.value.rstrip(b"\0 ").decode("latin-1")
