"""Turns the text in a search box into queries for ``/tools/find``."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.folding import folded, holds, pattern_without_accents

__all__ = ["FIELDS", "Query", "date_range", "is_uid", "pattern", "queries", "text_queries"]

FIELDS = (
    "Anything",
    "Patient's name",
    "Patient ID",
    "Accession number",
    "Study description",
    "Series description",
    "Modality",
    "Study date",
    "UID",
)
"""The fields that can be searched."""

_TEXTS: Mapping[str, tuple[Level, str]] = {
    "Patient's name": (Level.PATIENT, "PatientName"),
    "Patient ID": (Level.PATIENT, "PatientID"),
    "Accession number": (Level.STUDY, "AccessionNumber"),
    "Study description": (Level.STUDY, "StudyDescription"),
    "Series description": (Level.SERIES, "SeriesDescription"),
}
_UIDS = (
    (Level.STUDY, "StudyInstanceUID"),
    (Level.SERIES, "SeriesInstanceUID"),
    (Level.INSTANCE, "SOPInstanceUID"),
)
_ASCII_ONLY = frozenset({"PatientID", "AccessionNumber"})  # such identifiers have no accents


@dataclass(frozen=True, slots=True)
class Query:
    """One query to the server, and what only its user can check."""

    level: Level
    tags: dict[str, str]
    held: str = ""  # text without accents that the value of the only tag must hold; the server returns more

    def keeps(self, tags: Mapping[str, str]) -> bool:
        """Whether a result with these tags is one."""
        return not self.held or all(holds(tags.get(keyword, ""), self.held) for keyword in self.tags)


def queries(words: str, field: str = "Anything") -> list[Query]:
    """Return the queries for a search text: first for patients, then for studies and series.

    Parameters
    ----------
    words
        Part of a value, in upper or lower case, with or without accents, or a pattern with ``*`` and ``?``; or a
        whole UID. "" finds all patients.
    field
        One of `FIELDS`.

    Raises
    ------
    ValueError
        If a date or a UID is expected and the text is not one.

    Examples
    --------
    >>> queries("1234", "Patient ID")
    [Query(level=<Level.PATIENT: 'Patient'>, tags={'PatientID': '*1234*'}, held='')]
    >>> [query.tags for query in queries("2026-01")][-1]
    {'StudyDate': '20260101-20260131'}
    """
    words = words.strip()
    if not words:
        return [Query(Level.PATIENT, {})]
    found = list(_anything(words) if field == "Anything" else _in_field(words, field))
    return sorted(found, key=lambda query: bool(query.held))  # those that the server answers alone come first


def _anything(words: str) -> Iterator[Query]:
    if is_uid(words):
        yield from _in_field(words, "UID")
    for field in _TEXTS:
        yield from _in_field(words, field)
    if re.fullmatch(r"[A-Za-z]{2,16}", words):
        yield from _in_field(words, "Modality")
    if _dates(words):
        yield from _in_field(words, "Study date")


def _in_field(words: str, field: str) -> Iterator[Query]:
    if field in _TEXTS:
        yield from text_queries(*_TEXTS[field], words)
    elif field == "Modality":  # Orthanc does not match parts of it
        yield Query(Level.STUDY, {"ModalitiesInStudy": words.upper()})
    elif field == "UID":
        if not is_uid(words):
            raise ValueError(f"{words!r} is not a UID; write the whole of it, such as 1.2.840.10008.1")
        yield from (Query(level, {keyword: words}) for level, keyword in _UIDS)
    else:
        yield Query(Level.STUDY, {"StudyDate": date_range(words)})


def text_queries(level: Level, keyword: str, words: str) -> Iterator[Query]:
    """Return the queries for a part of a text: as it was typed, and with other accents.

    Examples
    --------
    >>> [query.tags for query in text_queries(Level.PATIENT, "PatientName", "Yam")]
    [{'PatientName': '*Yam*'}, {'PatientName': '*m*'}]
    """
    words = words.strip()
    sought = re.sub(r"[\s^]+", "*", words) if keyword == "PatientName" else words
    parts = pattern(sought)
    yield Query(level, {keyword: parts})
    if keyword not in _ASCII_ONLY and parts != words and (other := pattern_without_accents(sought)):
        yield Query(level, {keyword: other}, folded(words))


def is_uid(words: str) -> bool:
    """Whether a text is a UID, rather than a number or a date."""
    numbers = words.split(".")
    return len(words) <= 64 and len(numbers) >= 4 and all(re.fullmatch("[0-9]+", number) for number in numbers)


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
