"""``Content-Encoding: gzip`` of an upload, undone within limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.dicom.files.read import check_elements
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.rest.services import UploadLimits

__all__ = ["gunzipped"]

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64  # bytes, of a further member; twice as many each time that it is longer


@contextmanager
def gunzipped(body: bytes, limits: UploadLimits, memory: MemoryBudget) -> Iterator[bytes]:
    """Provide what a body of one or several gzip members unpacks to; its memory is reserved until the end.

    Raises
    ------
    OrthancError
        -1 for a body that is not gzip, 15 for one that is damaged or unpacks to too much, or to too many elements of
        DICOM, 4 with status 503 if the memory is spent.
    """
    if body[:2] != b"\x1f\x8b":
        raise OrthancError(ErrorCode.INTERNAL_ERROR)
    most = limits.of_file(len(body))
    stated = int.from_bytes(body[-4:], "little")  # right for one member, unless it lies (RFC 1952 section 2.3.1)
    with memory.reserve(min(stated, most)) as reservation:
        content = _gunzip(body, stated) if stated <= most else None
        if content is None:
            reservation.release()
            reservation.add(most)
            content = _gunzip(body, most)
        if content is None:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"The body unpacks to more than {most} bytes")
        check_elements(content, len(body), memory, reservation)
        yield content


def _gunzip(body: bytes, most: int) -> bytes | None:
    """Return the content; None if it has more than `most` bytes."""
    parts: list[bytes] = []
    left = most
    position, size = 0, len(body)  # nearly always there is one member
    while position < len(body):
        inflater = zlib.decompressobj(_GZIP)
        while not inflater.eof:
            piece = body[position : position + size]  # what is behind a member is copied each time
            try:
                parts.append(inflater.decompress(piece, left + 1))
            except zlib.error as error:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
            left -= len(parts[-1])
            if left < 0:
                return None
            if not piece:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
            position += len(piece) - len(inflater.unused_data)
            size *= 2
        size = _PIECE
    return b"".join(parts)
