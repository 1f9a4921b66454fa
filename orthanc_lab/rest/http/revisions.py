"""Revisions of metadata and attachments: ``ETag``, ``If-Match``, ``If-None-Match``.

Where the index keeps no revision numbers, as the usual one of Orthanc, a read answers revision 0, and a write
that replaces something answers revision 1. One that servers share counts.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.http.answers import EmptyAnswer

if TYPE_CHECKING:
    import falcon

__all__ = ["answer_if_none_match", "check_if_match", "md5_hex", "parse_if_match", "require_if_match", "set_etag"]

_ETAG = re.compile(r"([0-9]{1,20})-(.*+)", re.DOTALL)
_MAXIMUM = 2**63


def md5_hex(value: bytes) -> str:
    """Return the MD5 that identifies a value in an ETag."""
    return hashlib.md5(value, usedforsecurity=False).hexdigest()


def set_etag(resp: falcon.Response, md5: str, revision: int) -> None:
    """Set the header ``ETag: "REVISION-MD5"``."""
    resp.set_header("ETag", f'"{revision}-{md5}"')


def answer_if_none_match(req: falcon.Request, resp: falcon.Response, md5: str, revision: int) -> None:
    """Set the ETag of a read; a client that has the value already gets 304 without a body.

    Raises
    ------
    EmptyAnswer
        304.
    OrthancError
        3 for a header that is not an ETag.
    """
    set_etag(resp, md5, revision)
    header = req.get_header("If-None-Match")
    if header is not None and _parse(header, "If-None-Match") == (revision, md5):
        raise EmptyAnswer(304, {"ETag": f'"{revision}-{md5}"'})


def parse_if_match(req: falcon.Request) -> tuple[int, str] | None:
    """Return the revision and the MD5 that the client has read; None without ``If-Match``.

    Raises
    ------
    OrthancError
        3 for a header that is not an ETag.
    """
    header = req.get_header("If-Match")
    return None if header is None else _parse(header, "if-match")


def check_if_match(known: tuple[int, str] | None, current_md5: str | None, revision: int, *, required: bool) -> None:
    """Check that the client writes over the value it has read.

    Parameters
    ----------
    known
        What `parse_if_match` returned.
    current_md5, revision
        Of the current value; the MD5 is None if there is no value, and nothing to protect.
    required
        Whether the header must be there (``CheckRevisions``).

    Raises
    ------
    OrthancError
        43 for a header of another value, or a missing one.
    """
    if current_md5 is not None and known != (revision, current_md5) and (required or known is not None):
        raise OrthancError(ErrorCode.REVISION)


def require_if_match(req: falcon.Request) -> None:
    """Refuse a deletion without ``If-Match``, for ``CheckRevisions``.

    Raises
    ------
    OrthancError
        43 ``HTTP header "If-Match" is missing, as "CheckRevisions" is "true"``.
    """
    if req.get_header("If-Match") is None:
        raise OrthancError(ErrorCode.REVISION, 'HTTP header "If-Match" is missing, as "CheckRevisions" is "true"')


def _parse(header: str, name: str) -> tuple[int, str]:
    text = header.strip()
    if text and text[0] == text[-1] == '"':
        text = text[1:-1]
    match = _ETAG.fullmatch(text)
    if match is None or int(match[1]) >= _MAXIMUM:
        details = f'The "{name}" HTTP header should contain the ETag (revision followed by MD5 hash), but found: {text}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
    return int(match[1]), match[2]
