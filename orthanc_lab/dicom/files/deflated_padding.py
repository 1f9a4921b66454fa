"""The byte that makes the length of a deflated data set even (PS3.5 section A.5): it is no part of the file."""

from __future__ import annotations

import zlib

from orthanc_lab.dicom.limits import may_inflate
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax

__all__ = ["without_padding"]

_PART = 64 << 10


def without_padding(data: bytes | bytearray, transfer_syntax: str) -> memoryview:
    """Return an encoded data set without the zero that follows the end of its deflated data.

    Parameters
    ----------
    transfer_syntax
        In which it is encoded; only deflated data sets have such a byte.
    """
    syntax = find_transfer_syntax(transfer_syntax)
    is_padded = syntax is not None and syntax.deflated and data.endswith(b"\0") and _unused(data) == b"\0"
    return memoryview(data)[: len(data) - is_padded]


def _unused(data: bytes | bytearray) -> bytes:
    """Return what follows the deflated data; nothing if they are damaged, cut off or too large to be stored."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = may_inflate(len(data))
    rest: bytes | bytearray = data
    try:
        while not inflater.eof and left > 0 and rest:
            left -= len(inflater.decompress(rest, _PART))
            rest = inflater.unconsumed_tail
    except zlib.error:
        return b""
    return inflater.unused_data
