"""Portable arbitrary maps (``P7``, netpbm) read as samples."""

from __future__ import annotations

import re
from functools import partial

from orthanc_lab.dicom.files.data_set import swapped
from orthanc_lab.dicom.images.picture import Picture, copy_into
from orthanc_lab.dicom.limits import MAX_PICTURE_BYTES
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["read_pam"]

_FIELD = re.compile(rb"(?:(WIDTH|HEIGHT|DEPTH|MAXVAL) ([0-9]{1,10})|(TUPLTYPE) (.*))\Z")
_KINDS = ((b"GRAYSCALE", 1, 8), (b"GRAYSCALE", 1, 16), (b"RGB", 3, 8))  # tuple type, depth, bits


def read_pam(data: bytes) -> Picture:
    """Read a portable arbitrary map of 8- or 16-bit gray or 8-bit RGB.

    Raises
    ------
    OrthancError
        15 if it is corrupted, 2 for the other kinds.
    """
    head, mark, pixels = data.partition(b"\nENDHDR\n")
    lines = head.split(b"\n")
    if not mark or lines[0] != b"P7":
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    found = [match for line in lines[1:] if (match := _FIELD.match(line))]
    fields = {match[1] or match[3]: match[2] or match[4] for match in found}
    try:
        width, height, depth, maximum = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
        kind = fields[b"TUPLTYPE"]
    except KeyError as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
    bits = {255: 8, 65535: 16}.get(maximum, 0)
    if (kind, depth, bits) not in _KINDS:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if (
        max(width, height) > 0xFFFF
        or len(pixels) != width * height * depth * bits // 8
        or len(pixels) > MAX_PICTURE_BYTES
    ):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    samples = (swapped(pixels, 2) if bits == 16 else pixels,)
    return Picture(width, height, depth, bits, partial(copy_into, pieces=samples))
