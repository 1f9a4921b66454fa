"""Deflate in the two forms that files here need: by ISA-L where it is installed, else by zlib."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

try:
    from isal import isal_zlib

    _HAS_ISAL = True
except ImportError:  # no build for this machine
    _HAS_ISAL = False

__all__ = ["HAS_FAST_INFLATE", "adler32", "deflate_raw", "deflate_zlib", "gzip_bytes", "inflate_zlib"]

_compressobj: Callable[[int, int, int], Any] = isal_zlib.compressobj if _HAS_ISAL else zlib.compressobj
_LEVEL = 2 if _HAS_ISAL else 1  # of 0 to 3, and of 0 to 9

_decompressobj: Callable[[], Any] = isal_zlib.decompressobj if _HAS_ISAL else zlib.decompressobj
_ERRORS: Any = (isal_zlib.error, zlib.error) if _HAS_ISAL else zlib.error
adler32: Callable[[bytes], int] = isal_zlib.adler32 if _HAS_ISAL else zlib.adler32
HAS_FAST_INFLATE = _HAS_ISAL
"""Whether `inflate_zlib` is several times faster than zlib."""


def deflate_zlib(data: Any) -> bytes:
    """Compress bytes or a buffer with the header of zlib (RFC 1950), as in PNG."""
    return _compress(data, zlib.MAX_WBITS)


def deflate_raw(data: Any) -> bytes:
    """Compress without a header (RFC 1951), as in the deflated transfer syntax and in ZIP."""
    return _compress(data, -zlib.MAX_WBITS)


def gzip_bytes(data: Any) -> bytes:
    """Compress to a gzip file without a name and a time (RFC 1952)."""
    return _compress(data, zlib.MAX_WBITS + 16)


def inflate_zlib(data: bytes, limit: int) -> bytes:
    """Return what `deflate_zlib` took, or its first `limit` bytes.

    Raises
    ------
    ValueError
        If the data are damaged or cut off.
    """
    inflater = _decompressobj()
    try:
        plain: bytes = inflater.decompress(data, limit)
        complete = inflater.eof or (len(plain) == limit and inflater.decompress(inflater.unconsumed_tail, 1))
    except _ERRORS as error:
        raise ValueError("the deflated data are damaged") from error
    if not complete and not inflater.eof:
        raise ValueError("the deflated data are cut off")
    return plain


def _compress(data: Any, wbits: int) -> bytes:
    packer = _compressobj(_LEVEL, zlib.DEFLATED, wbits)
    packed: bytes = packer.compress(data) + packer.flush()
    return packed
