"""The header ``Accept``, as Orthanc reads it."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["preferred_type"]


def preferred_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the offered media type that the client prefers; the first one without the header.

    The largest ``q`` counts, then the order in the header; a range (``image/*``) stands for the
    first offered type that it covers. None if the client accepts no offered type.

    Raises
    ------
    OrthancError
        15 for a ``q`` of an offered type that is not a number, 8 for one that is not from 0 to 1.
    """
    if accept is None:
        return offered[0]
    best, best_quality = None, -1.0
    for text in accept.split(","):
        name, *parameters = (part.strip() for part in text.split(";"))
        found = next((media_type for media_type in offered if name in (media_type, "*/*", _range(media_type))), None)
        if found is not None and (quality := _quality(parameters)) > best_quality:
            best, best_quality = found, quality
    return best


def _range(media_type: str) -> str:
    return media_type.partition("/")[0] + "/*"


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError as error:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
            if not 0 <= quality <= 1:
                raise OrthancError(ErrorCode.BAD_REQUEST)
            return quality
    return 1.0
