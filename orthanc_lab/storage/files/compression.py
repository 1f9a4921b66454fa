"""The compressed form of an attachment: zlib after the size of what it holds (8 bytes, little endian)."""

from __future__ import annotations

import zlib
from struct import Struct

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["compress", "uncompress"]

_SIZE = Struct("<Q")


def compress(data: bytes) -> bytes:
    """Return the compressed form; nothing stays nothing."""
    return _SIZE.pack(len(data)) + zlib.compress(data) if data else b""


def uncompress(data: bytes) -> bytes:
    """Return what was compressed.

    Raises
    ------
    OrthancError
        20 if `data` is not in this form.
    """
    if not data:
        return b""
    try:
        (size,) = _SIZE.unpack_from(data)
        plain = zlib.decompress(memoryview(data)[8:], bufsize=min(max(size, 1), 1 << 30))
    except (ValueError, zlib.error, OverflowError) as error:
        raise OrthancError(ErrorCode.CORRUPTED_FILE, f"Cannot uncompress an attachment: {error}") from error
    except Exception as error:  # struct.error: shorter than the size
        raise OrthancError(ErrorCode.CORRUPTED_FILE, "Cannot uncompress an attachment") from error
    if len(plain) != size:
        raise OrthancError(ErrorCode.CORRUPTED_FILE, "Cannot uncompress an attachment: its size is wrong")
    return plain
