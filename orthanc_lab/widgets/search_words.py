"""Turns the text in a search box into queries for ``/tools/find``."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass

from orthanc_lab.protocol.levels import Level

__all__ = ["FIELDS", "Query", "date_range", "pattern", "queries"]

FIELDS = ("Anything", "Patient's name", "Patient ID", "Study description", "Modality", "Study date")
"""The fields that can be searched."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query to the server."""

    level: Level
    tags: dict[str, str]


def queries(words: str, field: str = "Anything") -> list[Query]:
    """Return the queries for a search text: first for patients, then for studies.

    Parameters
    ----------
    words
        Part of a value, in upper or lower case, or a pattern with ``*`` and ``?``; "" finds all patients.
    field
        One of `FIELDS`.

    Raises
    ------
    ValueError
        If a date is expected and the text is not one.

    Examples
    --------
    >>> queries("doe", "Patient's name")
    [Query(level=<Level.PATIENT: 'Patient'>, tags={'PatientName': '*doe*'})]
    >>> [query.tags for query in queries("2026-01")][-1]
    {'StudyDate': '20260101-20260131'}
    """
    words = words.strip()
    if not words:
        return [Query(Level.PATIENT, {})]
    return list(_anything(words)) if field == "Anything" else [_one(words, field)]


def _anything(words: str) -> Iterator[Query]:
    for field in ("Patient's name", "Patient ID", "Study description"):
        yield _one(words, field)
    if re.fullmatch(r"[A-Za-z]{2,16}", words):
        yield _one(words, "Modality")
    if _dates(words):
        yield _one(words, "Study date")


def _one(words: str, field: str) -> Query:
    if field == "Patient's name":
        return Query(Level.PATIENT, {"PatientName": pattern(re.sub(r"[\s^]+", "*", words))})
    if field == "Patient ID":
        return Query(Level.PATIENT, {"PatientID": pattern(words)})
    if field == "Study description":
        return Query(Level.STUDY, {"StudyDescription": pattern(words)})
    if field == "Modality":  # Orthanc does not match parts of it
        return Query(Level.STUDY, {"ModalitiesInStudy": words.upper()})
    return Query(Level.STUDY, {"StudyDate": date_range(words)})


def pattern(words: str) -> str:
    """Return a pattern for text that is typed: it matches parts of a value, unless it has wildcards already."""
    return words if words[0] == "*" or words[-1] == "*" or "?" in words else f"*{words}*"


_DATE = re.compile(r"(\d{4})(?:[-./]?(\d\d)(?:[-./]?(\d\d))?)?")
_RANGE = re.compile(r"(?<!\s)(?:\s*+(?:-|–|\.\.|to)\s++|\s++(?:-|–|\.\.|to)\s*+)")


def date_range(words: str) -> str:
    """Return a range for StudyDate.

    Raises
    ------
    ValueError
        If the text is not a date or range.
    """
    dates = _dates(words)
    if not dates:
        raise ValueError(f"{words!r} is not a date; write 2026, 2026-01, 2026-01-05 or a range such as 2025 - 2026-01")
    return dates


def _dates(words: str) -> str:
    """Return a range for StudyDate, "" if the text is not a date or range."""
    ends = _RANGE.split(words) if not _DATE.fullmatch(words) else [words, words]
    if len(ends) == 1 and re.fullmatch(r"\d{8}-\d{8}|\d{8}-|-\d{8}", words):
        return words
    if len(ends) != 2:
        return ""
    matches = [_DATE.fullmatch(end) if end else None for end in ends]
    if any(end and not match for end, match in zip(ends, matches, strict=True)):
        return ""
    first, last = matches
    begin = f"{first[1]}{first[2] or '01'}{first[3] or '01'}" if first else ""
    if not last:
        return f"{begin}-" if begin else ""
    month = last[2] or "12"
    return f"{begin}-{last[1]}{month}{last[3] or _last_day(int(last[1]), int(month))}"


def _last_day(year: int, month: int) -> int:
    return monthrange(year, month)[1] if year and 1 <= month <= 12 else 31  # what is not a month finds nothing
