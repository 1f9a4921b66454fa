"""Timestamps as Orthanc writes them: ISO 8601 basic format, UTC."""

from __future__ import annotations

import re
from datetime import datetime

__all__ = ["iso_micros", "iso_seconds", "parse_iso"]

_FORM = re.compile(r"[0-9]{8}T[0-9]{6}(\.[0-9]{1,6})?")


def iso_seconds(moment: datetime) -> str:
    """Return ``20261124T075559``, as in ``LastUpdate``, ``ReceptionDate`` and the changes."""
    text = moment.isoformat()  # much faster than strftime
    return f"{text[:4]}{text[5:7]}{text[8:13]}{text[14:16]}{text[17:19]}"


def iso_micros(moment: datetime) -> str:
    """Return ``20190306T095223.753851``, as in a job; the fraction is omitted if it is exactly 0."""
    digits = moment.isoformat().replace("-", "", 2).replace(":", "", 2)
    return digits[: 22 if moment.microsecond else 15]


def parse_iso(text: str) -> datetime:
    """Parse either format into an aware UTC time.

    Raises
    ------
    ValueError
        If the text has another format.
    """
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a timestamp such as 20261124T075559")
    return datetime.fromisoformat(text + "Z")
