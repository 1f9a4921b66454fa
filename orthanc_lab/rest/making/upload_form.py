"""The parts of a multipart body (RFC 2046 section 5.1, RFC 7578)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["boundary_of", "parts_of"]

_BOUNDARY = re.compile(r";\s*boundary=(?:\"([^\"]+)\"|([^;\s]+))", re.IGNORECASE)


def boundary_of(content_type: str) -> str | None:
    """Return the boundary that ``Content-Type: multipart/form-data`` names; None for another type."""
    if content_type.split(";", 1)[0].strip().lower() != "multipart/form-data":
        return None
    match = _BOUNDARY.search(content_type)
    return None if match is None else match[1] or match[2]


def parts_of(body: bytes, boundary: str) -> Iterator[bytes]:
    """Return the contents of the parts, without their headers.

    Raises
    ------
    OrthancError
        9 for something else than a line break after a boundary, 15 if the body is cut off inside a part.
    """
    mark = b"--" + boundary.encode("latin-1", "replace")
    position = body.find(mark)
    while position >= 0:
        position += len(mark)
        if body[position : position + 2] == b"--":
            return
        if body[position : position + 2] != b"\r\n":
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "Garbage between two items in a multipart stream")
        headers_end = body.find(b"\r\n\r\n", position)
        end = body.find(b"\r\n" + mark, position + 2)
        if headers_end < 0 or end < 0 or headers_end + 2 > end:
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "The multipart body is cut off")
        yield body[headers_end + 4 : end]
        position = end + 2
