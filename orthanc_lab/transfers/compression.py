"""The two forms of a bucket on the wire."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["COMPRESSIONS", "check_compression", "compressed", "compressed_pieces", "may_unpack", "uncompressed"]

COMPRESSIONS = {"gzip": "application/gzip", "none": "application/octet-stream"}
"""The name of each form, and its MIME type where a bucket is downloaded."""

_GZIP = zlib.MAX_WBITS + 16
_LEVEL = 6
_MAGIC = b"\x1f\x8b"
_LARGEST_RATIO = 100
_UNPACKED = 48 << 20  # bytes to which anything may unpack


def check_compression(name: str) -> str:
    """Return the name of a form.

    Raises
    ------
    OrthancError
        3 for an unknown one.
    """
    if name not in COMPRESSIONS:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    return name


def may_unpack(packed: int) -> int:
    """Return to how many bytes may unpack what was sent as `packed` bytes: memory is for what was sent."""
    return max(_UNPACKED, _LARGEST_RATIO * packed)


def compressed(content: bytes, compression: str) -> bytes:
    """Return a bucket as it is sent."""
    return b"".join(compressed_pieces((content,), compression))


def compressed_pieces(pieces: Iterable[bytes], compression: str) -> Iterator[bytes]:
    """Yield a bucket as it is sent, of which one piece at a time is in memory."""
    if compression == "none":
        yield from pieces
        return
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    yield from filter(None, map(packer.compress, pieces))
    yield packer.flush()


def uncompressed(body: bytes, compression: str, size: int) -> bytes:
    """Return the bytes of a bucket that was sent.

    Never unpacks much more than `size` bytes, whatever was sent.

    Raises
    ------
    OrthancError
        -1 for what is not gzip or cut off, 9 for another size or several members, 2 for what follows a member.
    """
    content = body if compression == "none" else _unpacked(body, size)
    if len(content) != size:
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, f"WriteUncompressedBucket: {len(content)} != {size}")
    return content


def _unpacked(body: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, size + 1)
        if len(content) == size and not unpacker.eof:  # the end of the member may still be there
            content += unpacker.decompress(unpacker.unconsumed_tail, 1)
    except zlib.error as error:
        raise OrthancError(ErrorCode.INTERNAL_ERROR) from error
    if not unpacker.eof and len(content) <= size:
        raise OrthancError(ErrorCode.INTERNAL_ERROR)
    rest = unpacker.unused_data
    if rest:
        is_member = rest.startswith(_MAGIC)
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL if is_member else ErrorCode.NOT_IMPLEMENTED, status=500)
    return content
