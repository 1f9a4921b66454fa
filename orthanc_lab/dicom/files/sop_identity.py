"""Which SOP class and instance a data set states: its first elements, looked at without reading the rest."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

from orthanc_lab.dicom.dictionary.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, as_bytes
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, find_transfer_syntax

__all__ = ["sop_identity"]

_LONG = as_bytes(LONG_VRS)
_INFLATED = 64 << 10  # bytes: the two stand among the first elements
_MOST_ELEMENTS = 64


def sop_identity(data: bytes | bytearray, transfer_syntax: str) -> tuple[str | None, str | None]:
    """Return SOPClassUID and SOPInstanceUID of an encoded data set; None for what it does not state.

    Parameters
    ----------
    transfer_syntax
        In which it is encoded.
    """
    syntax = find_transfer_syntax(transfer_syntax)
    layout = EXPLICIT_LE if syntax is None else syntax.layout
    if syntax is not None and syntax.deflated:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _INFLATED)
        except zlib.error:
            return None, None
    found: dict[int, str] = {}
    with suppress(struct.error):  # it is cut off, or none at all
        _read(data, layout, found)
    return found.get(SOP_CLASS_UID), found.get(SOP_INSTANCE_UID)


def _read(data: bytes | bytearray, layout: str, found: dict[int, str]) -> None:
    order = ">" if layout == EXPLICIT_BE else "<"
    position = 0
    for _ in range(_MOST_ELEMENTS):
        group, element, length = struct.unpack_from(f"{order}HHI", data, position)
        tag = group << 16 | element
        if tag > SOP_INSTANCE_UID:
            return
        start = position + 8
        if layout != IMPLICIT_LE:
            vr = bytes(data[position + 4 : position + 6])
            if vr in _LONG:
                (length,) = struct.unpack_from(f"{order}I", data, start)
                start += 4
            else:
                (length,) = struct.unpack_from(f"{order}H", data, position + 6)
        position = start + length
        if tag in (SOP_CLASS_UID, SOP_INSTANCE_UID) and position <= len(data):
            found[tag] = bytes(data[start:position]).decode("latin-1").strip(" \0")
