"""PNG pictures whose data are stored instead of deflated, for decoders that shall only undo the filters."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from orthanc_lab.protocol.deflate import adler32, crc32

__all__ = ["png_header", "stored_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STORED_BLOCK = struct.Struct("<BHH")
_STORED_SIZE = 0xFFFF
_END = b"\0\0\0\0IEND\xaeB`\x82"


def png_header(width: int, height: int, colour: int) -> bytes:
    """Return the signature and the header of a picture of 8 bits a sample."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"".join((_SIGNATURE, struct.pack(">I", len(body) - 4), body, struct.pack(">I", zlib.crc32(body))))


def stored_png(header: bytes, rows: bytes) -> bytes:
    """Return a picture of filtered rows, which are stored; `header` is all that precedes them."""
    body = (b"IDAT", b"\x78\x01", *_stored(rows), struct.pack(">I", adler32(rows)))
    checksum = 0
    for part in body:
        checksum = crc32(part, checksum)
    length = struct.pack(">I", sum(map(len, body)) - 4)
    return b"".join((header, length, *body, struct.pack(">I", checksum), _END))


def _stored(rows: bytes) -> Iterator[bytes | memoryview]:
    """Yield the rows as stored blocks of Deflate (RFC 1951 section 3.2.4)."""
    view = memoryview(rows)
    for start in range(0, len(rows), _STORED_SIZE):
        block = view[start : start + _STORED_SIZE]
        is_last = start + _STORED_SIZE >= len(rows)
        yield _STORED_BLOCK.pack(is_last, len(block), len(block) ^ 0xFFFF)
        yield block
