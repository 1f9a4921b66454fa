"""Data URIs as Orthanc reads them: ``data:MIME;base64,DATA`` (RFC 2397, base64 only)."""

from __future__ import annotations

import binascii
import re

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["decode", "decode_known", "matches"]

_FORM = re.compile(r"data:([^;,]+);base64,", re.IGNORECASE)
_LONGEST_START = 1024  # characters before the data; types are shorter
_LARGE = 32 * 1024  # characters of base64 for which a library is worth being looked for
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*\Z", re.ASCII)


def decode(uri: str | memoryview) -> tuple[str, bytes]:
    """Return the MIME type as it is written, and the bytes.

    Missing ``=`` at the end is accepted.

    Parameters
    ----------
    uri
        A text, or the bytes of one (ASCII) that is too large to be copied.

    Raises
    ------
    OrthancError
        15 "Bad file format" for anything other than base64 in a data URI.
    """
    start = uri if isinstance(uri, str) else bytes(uri[:_LONGEST_START]).decode("latin-1")
    match = _FORM.match(start)
    if match is None:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return match[1], _decode_base64(uri[match.end() :])


def matches(text: str) -> bool:
    """Tell whether a text has the form of a base64 data URI, whatever its type."""
    match = _FORM.match(text)
    return match is not None and _BASE64.match(text, match.end()) is not None


def decode_known(value: str) -> bytes | None:
    """Return the bytes of a data URI of type ``application/octet-stream``, None for any other text.

    Only this type marks the value of a tag as binary.
    """
    match = _FORM.match(value)
    if match is None or match[1].lower() != "application/octet-stream":
        return None
    return _decode_base64(value[match.end() :])


def _decode_base64(data: str | memoryview) -> bytes:
    if len(data) > _LARGE and (decoded := _decode_quickly(data)) is not None:
        return decoded
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        return _decode_loosely(data if isinstance(data, str) else bytes(data).decode("latin-1"))


def _decode_quickly(data: str | memoryview) -> bytes | None:
    """Decode with the extra ``codecs``: 1 ms for 10 MB in place of 20, in which no other thread runs.

    None without it, or if it refuses.
    """
    try:
        from pybase64 import b64decode  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return None
    try:
        return b64decode(data, validate=True)
    except ValueError:
        return None


def _decode_loosely(text: str) -> bytes:
    """Decode up to the first ``=`` or the end, and drop an incomplete byte."""
    text = text.partition("\0")[0]
    if _BASE64.match(text) is None:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    data = text.partition("=")[0]
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + "=" * (-len(data) % 4))
