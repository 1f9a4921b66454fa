"""Deflate (RFC 1951) in all its wrappings, and its checksums: by ISA-L where it is installed, else by zlib."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

try:
    from isal import igzip_lib, isal_zlib
except ImportError:  # there is no build for this machine
    HAS_ISAL = False
else:
    HAS_ISAL = True

__all__ = [
    "HAS_ISAL",
    "adler32",
    "crc32",
    "deflate_raw",
    "deflate_zlib",
    "gzip_bytes",
    "inflate_raw",
    "inflate_zlib",
    "raw_compressor",
]

_LEVEL = 2 if HAS_ISAL else 1  # of 0 to 3, and of 0 to 9

_compressobj: Callable[[int, int, int], Any] = isal_zlib.compressobj if HAS_ISAL else zlib.compressobj
_decompressobj: Callable[[int], Any] = isal_zlib.decompressobj if HAS_ISAL else zlib.decompressobj
_ERRORS: Any = (isal_zlib.error, zlib.error) if HAS_ISAL else zlib.error
adler32: Callable[[bytes], int] = isal_zlib.adler32 if HAS_ISAL else zlib.adler32
crc32: Callable[..., int] = isal_zlib.crc32 if HAS_ISAL else zlib.crc32


def raw_compressor(name: str, level: int) -> Callable[[bytes], bytes] | None:
    """Return the function of one library that compresses without a header; None if it is not installed.

    Parameters
    ----------
    name
        ``isal`` or ``zlib``.
    level
        0 to 3 for ``isal``, 0 to 9 for ``zlib``.
    """
    if name == "isal" and HAS_ISAL:
        return partial(igzip_lib.compress, level=level, flag=igzip_lib.COMP_DEFLATE)
    return partial(_by_zlib, level=level) if name == "zlib" else None


def _by_zlib(data: bytes, level: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def deflate_zlib(pieces: Iterable[Any]) -> bytes:
    """Compress pieces, bytes or buffers, as one with the header of zlib (RFC 1950), as in PNG."""
    return _compress(pieces, zlib.MAX_WBITS)


def deflate_raw(data: Any) -> bytes:
    """Compress without a header (RFC 1951), as in the deflated transfer syntax and in ZIP."""
    return _compress((data,), -zlib.MAX_WBITS)


def gzip_bytes(data: Any) -> bytes:
    """Compress to a gzip file without a name and a time (RFC 1952)."""
    return _compress((data,), zlib.MAX_WBITS + 16)


def inflate_zlib(data: bytes, limit: int) -> bytes:
    """Return what `deflate_zlib` took, or its first `limit` bytes.

    Raises
    ------
    ValueError
        If the data are damaged or cut off.
    """
    inflater = _decompressobj(zlib.MAX_WBITS)
    try:
        plain: bytes = inflater.decompress(data, limit)
        complete = inflater.eof or (len(plain) == limit and inflater.decompress(inflater.unconsumed_tail, 1))
    except _ERRORS as error:
        raise ValueError("the deflated data are damaged") from error
    if not complete and not inflater.eof:
        raise ValueError("the deflated data are cut off")
    return plain


def inflate_raw(data: bytes | memoryview, limit: int) -> bytes:
    """Return what `deflate_raw` took, or its first `limit` bytes; data that are cut off give what they hold.

    Raises
    ------
    ValueError
        If the data are damaged.
    """
    try:
        plain: bytes = _decompressobj(-zlib.MAX_WBITS).decompress(data, limit)
    except _ERRORS as error:
        raise ValueError("the deflated data are damaged") from error
    return plain


def _compress(pieces: Iterable[Any], wbits: int) -> bytes:
    packer = _compressobj(_LEVEL, zlib.DEFLATED, wbits)
    return b"".join([*map(packer.compress, pieces), packer.flush()])
