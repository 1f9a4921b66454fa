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
        15 for a ``q`` that is not a number.
    """
    if accept is None:
        return offered[0]
    ranges = sorted((_range(text) for text in accept.split(",")), key=lambda found: -found[1])
    for wanted, _ in ranges:
        for media_type in offered:
            if wanted in (media_type, "*/*") or wanted == media_type.split("/", maxsplit=1)[0] + "/*":
                return media_type
    return None


def _range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in text.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError as error:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
    return name, 1.0
