"""The options of a call that makes an archive: arguments of a GET, fields of a POST."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import is_known

if TYPE_CHECKING:
    import falcon

__all__ = [
    "ArchiveOptions",
    "options_of_body",
    "options_of_query",
    "quality_of_query",
    "raw_arguments",
    "safe_filename",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_UNSIGNED = re.compile(r"\+?[0-9]{1,10}\Z", re.ASCII)
_UINT32 = 2**32


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """What a client may choose of an archive."""

    filename: str  # of the download
    quality: int  # of lossy JPEG
    transcode: str | None = None  # UID of a transfer syntax
    extended: bool = False  # SeriesDescription in a DICOMDIR


def raw_arguments(req: falcon.Request) -> dict[str, str]:
    """Return the arguments of a GET as they appear in the URI: archives do not decode them."""
    pairs = (item.partition("=") for item in (req.query_string or "").split("&"))
    return {name: value for name, _, value in pairs if name}


def options_of_query(arguments: dict[str, str], defaults: ArchiveOptions) -> ArchiveOptions:
    """Read ``filename``, ``transcode`` and ``lossy-quality``.

    Raises
    ------
    OrthancError
        3 for an unknown transfer syntax, or a quality that is not a number.
    """
    options = replace(defaults, filename=safe_filename(arguments.get("filename", defaults.filename)))
    if "transcode" not in arguments:
        return options
    options = replace(options, transcode=_known_syntax(arguments["transcode"]))
    quality = quality_of_query(arguments)
    return options if quality is None else replace(options, quality=quality)


def quality_of_query(arguments: dict[str, str]) -> int | None:
    """Read ``lossy-quality``, None without it.

    Raises
    ------
    OrthancError
        3 if it is not a number.
    """
    quality = arguments.get("lossy-quality", "")
    if not quality:
        return None
    if not _UNSIGNED.match(quality) or int(quality) >= _UINT32:
        details = f'Expected a Unsigned Int for GET argument "lossy-quality", found: {quality}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
    return int(quality)


def options_of_body(body: Any, defaults: ArchiveOptions) -> ArchiveOptions:
    """Read ``Extended``, ``Transcode``, ``LossyQuality`` and ``Filename``; any other body than an object has none.

    Raises
    ------
    OrthancError
        15 for a field of another type, 3 for an unknown transfer syntax.
    """
    fields = body if isinstance(body, dict) else {}
    options = defaults
    if "Extended" in fields:
        if not isinstance(fields["Extended"], bool):
            raise _wrong_type("Boolean", "Extended")
        options = replace(options, extended=fields["Extended"])
    if "Transcode" in fields:
        if not isinstance(fields["Transcode"], str):
            raise _wrong_type("String", "Transcode")
        options = replace(options, transcode=_known_syntax(fields["Transcode"]))
        if "LossyQuality" in fields:
            options = replace(options, quality=_quality(fields["LossyQuality"]))
    if isinstance(fields.get("Filename"), str):
        options = replace(options, filename=safe_filename(fields["Filename"]))
    return options


def safe_filename(name: str) -> str:
    """Return a name without the control characters that could end a header."""
    return _CONTROL.sub("", name)


def _quality(value: Any) -> int:
    if type(value) is not int:
        raise _wrong_type("Integer", "LossyQuality")
    if value < 0:
        raise _wrong_type("Unsigned integer", "LossyQuality")
    if value >= _UINT32:
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    return value


def _wrong_type(expected: str, field: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, f"{expected} value expected in field: {field}")


def _known_syntax(uid: str) -> str:
    if not is_known(uid):
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Unknown transfer syntax: {uid}")
    return uid
