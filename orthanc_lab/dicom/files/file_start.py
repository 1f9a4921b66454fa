"""Where the data set of a DICOM file starts, and its layout (PS3.10 section 7): shared by all readers."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from orthanc_lab.dicom.dictionary.vrs import VR_BY_BYTES
from orthanc_lab.dicom.files.element_walk import Walk, WalkError
from orthanc_lab.dicom.limits import may_inflate
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget, Reservation
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, find_transfer_syntax

__all__ = ["FileStart", "find_start"]

_TRANSFER_SYNTAX = b"\x02\x00\x10\x00"
_WANTED = frozenset({_TRANSFER_SYNTAX})
_USUAL_RATIO = 16  # of the size of a data set and of what it is deflated to


class FileStart(NamedTuple):
    """The data set of a file."""

    data: bytes  # the file, or the inflated data set
    position: int  # of the data set in `data`
    layout: str  # IMPLICIT_LE, EXPLICIT_LE or EXPLICIT_BE
    stated: str  # UID in the meta header; "" without
    transfer_syntax: str  # what the file states, or looks like without a meta header; "" for one Orthanc does not know
    encapsulated: bool  # the pixel data must be fragments
    deflated: bool  # `data` is the inflated data set
    meta: int  # position of the meta header in the file
    meta_end: int  # where it ends; the same without a meta header
    reservation: Reservation | None = None  # of the memory of an inflated data set


def find_start(dicom: bytes, memory: MemoryBudget = UNLIMITED) -> FileStart:
    """Find the data set of a DICOM file.

    Parameters
    ----------
    memory
        From which a deflated data set reserves what it unpacks to.

    Raises
    ------
    WalkError, struct.error
        If there is none.
    OrthancError
        4 with status 503 if too much is being inflated at the same time.
    """
    meta = 132 if dicom[128:132] == b"DICM" else 0
    if dicom[meta : meta + 2] != b"\x02\x00":
        layout = _guess(dicom, meta)
        return FileStart(dicom, meta, layout, "", layout, False, False, meta, meta)
    found, end = Walk(dicom, False, False).run_meta(meta, _WANTED)
    element = found.get(_TRANSFER_SYNTAX)
    stated = "" if element is None else dicom[element[2] : element[2] + element[3]].decode("latin-1").strip("\0 ")
    syntax = find_transfer_syntax(stated)
    if syntax is None:
        layout = _guess(dicom, end) if end < len(dicom) else EXPLICIT_LE
        return FileStart(dicom, end, layout, stated, "", False, False, meta, end)
    known = stated if syntax.known else ""
    if syntax.deflated and end < len(dicom):
        data, reservation = _inflate(dicom, end, memory)
        return FileStart(data, 0, syntax.layout, stated, known, syntax.encapsulated, True, meta, end, reservation)
    return FileStart(dicom, end, syntax.layout, stated, known, syntax.encapsulated, False, meta, end)


def _guess(dicom: bytes, position: int) -> str:
    if position + 8 > len(dicom):
        raise WalkError("too short")
    low, high = dicom[position], dicom[position + 1]
    if dicom[position + 4 : position + 6] not in VR_BY_BYTES:
        return IMPLICIT_LE
    return EXPLICIT_LE if low | high << 8 <= high | low << 8 else EXPLICIT_BE


def _inflate(dicom: bytes, position: int, memory: MemoryBudget) -> tuple[bytes, Reservation]:
    most = may_inflate(len(dicom))
    usual = min(_USUAL_RATIO * len(dicom), most)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    reservation = memory.reserve(usual)
    try:
        data = inflater.decompress(memoryview(dicom)[position:], usual)
        if not inflater.eof and len(data) == usual:
            reservation.add(2 * most - usual)  # for both pieces and the whole
            data += inflater.decompress(inflater.unconsumed_tail, most - usual + 1)
    except zlib.error as error:
        raise WalkError("the deflated data set is damaged") from error
    if not inflater.eof or len(data) > most:
        raise WalkError("the deflated data set is cut off or too large")
    return data, reservation
