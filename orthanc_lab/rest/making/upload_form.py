"""The parts of a multipart body (RFC 2046 section 5.1, RFC 7578)."""

from __future__ import annotations

from collections.abc import Iterator

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["boundary_of", "parts_of"]

_END = b"--"
_LINE_END = b"\r\n"
_LARGEST = 2**63


def boundary_of(content_type: str) -> str | None:
    """Return the boundary that ``Content-Type: multipart/form-data`` names; None for another type.

    As in Orthanc, there may be blanks around names and values, of two boundaries the last counts, and one with a
    semicolon or an equals sign is none.
    """
    media_type, *parameters = content_type.split(";")
    boundary = ""
    for parameter in parameters if media_type.strip().lower() == "multipart/form-data" else ():
        name, *values = parameter.split("=")
        if name.strip().lower() == "boundary" and len(values) == 1:
            boundary = _unquoted(values[0].strip())
    return boundary or None


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def parts_of(body: bytes, boundary: str) -> Iterator[bytes]:
    """Return the contents of the parts, without their headers.

    Raises
    ------
    OrthancError
        9 for something else than a line break around a boundary, 3 for a part with a length that is none, 15 if the
        body is cut off inside a part.
    """
    mark = b"--" + boundary.encode("latin-1", "replace")
    position = body.find(mark)
    while position >= 0:
        position += len(mark)
        following = body[position : position + 2]
        if following == _END or (
            len(following) < 2 and (_END.startswith(following) or _LINE_END.startswith(following))
        ):
            return
        if following != _LINE_END:
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "Garbage between two items in a multipart stream")
        if position + 2 == len(body):
            return
        end = body.find(_LINE_END + mark, position + 2)
        headers_end = body.find(_LINE_END * 2, position, None if end < 0 else end + 2)
        if headers_end < 0:
            raise _cut_off()
        start = headers_end + 4
        length = _length(body[position:headers_end])
        if length is not None:  # then the boundary may stand in the content
            end = start + length
            if end < len(body) and body[end : end + 2] != _LINE_END:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "No endline at the end of a part")
        if end < 0 or not body.startswith(mark, end + 2):
            raise _cut_off()
        yield body[start:end]
        position = end + 2


def _length(headers: bytes) -> int | None:
    """Return what ``Content-Length`` of a part says."""
    for line in headers.split(_LINE_END):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"content-length":
            digits = value.strip().removeprefix(b"+")
            if not digits.isdigit() or len(digits) > 19 or int(digits) >= _LARGEST:
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
            return int(digits)
    return None


def _cut_off() -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, "The multipart body is cut off")
