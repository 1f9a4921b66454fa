"""The byte that makes the length of a deflated data set even (PS3.5 section A.5): it is no part of the file."""

from __future__ import annotations

import zlib

from orthanc_lab.dicom.limits import may_inflate
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax

__all__ = ["without_padding"]

_PART = 16 << 10  # bytes that are looked at at a time: they become 16 MB at most


def without_padding(data: bytes | bytearray, transfer_syntax: str) -> memoryview:
    """Return an encoded data set without the zero that follows the end of its deflated data.

    Parameters
    ----------
    transfer_syntax
        In which it is encoded; only deflated data sets have such a byte.
    """
    syntax = find_transfer_syntax(transfer_syntax)
    is_padded = syntax is not None and syntax.deflated and data.endswith(b"\0") and _ends_before_last(data)
    return memoryview(data)[: len(data) - is_padded]


def _ends_before_last(data: bytes | bytearray) -> bool:
    """Tell whether one byte follows the deflated data; not if they are damaged, cut off or too large to be stored."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = may_inflate(len(data))
    parts = memoryview(data)
    for start in range(0, len(data), _PART):
        try:
            left -= len(inflater.decompress(parts[start : start + _PART]))
        except zlib.error:
            return False
        if inflater.eof:
            return len(inflater.unused_data) + len(parts[start + _PART :]) == 1
        if left < 0:
            return False
    return False
