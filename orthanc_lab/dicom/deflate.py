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

__all__ = ["deflate_raw", "deflate_zlib", "gzip_bytes"]

_compressobj: Callable[[int, int, int], Any] = isal_zlib.compressobj if _HAS_ISAL else zlib.compressobj
_LEVEL = 2 if _HAS_ISAL else 1  # of 0 to 3, and of 0 to 9


def deflate_zlib(data: Any) -> bytes:
    """Compress bytes or a buffer with the header of zlib (RFC 1950), as in PNG."""
    return _compress(data, zlib.MAX_WBITS)


def deflate_raw(data: Any) -> bytes:
    """Compress without a header (RFC 1951), as in the deflated transfer syntax and in ZIP."""
    return _compress(data, -zlib.MAX_WBITS)


def gzip_bytes(data: Any) -> bytes:
    """Compress to a gzip file without a name and a time (RFC 1952)."""
    return _compress(data, zlib.MAX_WBITS + 16)


def _compress(data: Any, wbits: int) -> bytes:
    packer = _compressobj(_LEVEL, zlib.DEFLATED, wbits)
    packed: bytes = packer.compress(data) + packer.flush()
    return packed
