"""Where the data set of a DICOM file starts, and how it is laid out (PS3.10 section 7)."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from orthanc_lab.dicom.files.element_walk import VRS, Walk, WalkError

__all__ = ["DEFLATED", "EXPLICIT_BE", "EXPLICIT_LE", "IMPLICIT_LE", "MAX_INFLATED", "Start", "find_start"]

IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"

MAX_INFLATED = 1 << 30
"""A deflated data set of more bytes than this is refused."""

_JPEG = "1.2.840.10008.1.2.4."
_KNOWN_JPEG = frozenset(_JPEG + str(n) for n in (*range(50, 67), 70, 80, 81, *range(90, 94), *range(100, 109)))
_KNOWN = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED, "1.2.840.10008.1.2.5", _JPEG + "94"}) | _KNOWN_JPEG
_KNOWN |= {"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2"}
_ENCAPSULATED = _KNOWN_JPEG | {_JPEG + str(n) for n in (95, 110, 111, 112, 201, 202, 203, 205)}
_ENCAPSULATED |= {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1.98"}
_TRANSFER_SYNTAX = b"\x02\x00\x10\x00"


class Start(NamedTuple):
    """The data set of a file."""

    data: bytes  # the file, or the inflated data set
    position: int  # of the data set in `data`
    layout: str  # IMPLICIT_LE, EXPLICIT_LE or EXPLICIT_BE
    transfer_syntax: str  # what the file states, or looks like without a meta header; "" for an unknown one
    encapsulated: bool  # the pixel data must be fragments


def find_start(dicom: bytes) -> Start:
    """Find the data set of a DICOM file.

    Raises
    ------
    WalkError, struct.error
        If there is none.
    """
    position = 132 if dicom[128:132] == b"DICM" else 0
    if dicom[position : position + 2] != b"\x02\x00":
        layout = _guess(dicom, position)
        return Start(dicom, position, layout, layout, False)
    found, position = Walk(dicom, False, False).run_meta(position, frozenset({_TRANSFER_SYNTAX}))
    stated = found.get(_TRANSFER_SYNTAX)
    syntax = "" if stated is None else dicom[stated[2] : stated[2] + stated[3]].decode("latin-1")
    syntax = syntax.strip("\0 ")
    if syntax == DEFLATED:
        return Start(_inflate(dicom, position), 0, EXPLICIT_LE, DEFLATED, False)
    if syntax in (IMPLICIT_LE, EXPLICIT_BE):
        return Start(dicom, position, syntax, syntax, False)
    if syntax in _KNOWN or syntax in _ENCAPSULATED:
        known = syntax if syntax in _KNOWN else ""
        return Start(dicom, position, EXPLICIT_LE, known, syntax in _ENCAPSULATED)
    layout = _guess(dicom, position) if position < len(dicom) else EXPLICIT_LE
    return Start(dicom, position, layout, "", False)


def _guess(dicom: bytes, position: int) -> str:
    if position + 8 > len(dicom):
        raise WalkError("too short")
    low, high = dicom[position], dicom[position + 1]
    if dicom[position + 4 : position + 6] not in VRS:
        return IMPLICIT_LE
    return EXPLICIT_LE if low | high << 8 <= high | low << 8 else EXPLICIT_BE


def _inflate(dicom: bytes, position: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(memoryview(dicom)[position:], MAX_INFLATED)
    except zlib.error as error:
        raise WalkError("the deflated data set is damaged") from error
    if not inflater.eof:
        raise WalkError("the deflated data set is cut off, or too large")
    return data
