"""Dates and times: their order stays, and nothing else of them.

All that occur are collected first; then the earliest date becomes 1 January 1850, the next one the day after, and so
on, and likewise the times of day from midnight on, second by second.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

__all__ = ["Calendar", "is_date", "is_time"]

_FIRST = date(1850, 1, 1)
_DAY_S = 86_400
_DATE = re.compile(r"(1[89]|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{0,9})?)?)?")


class Calendar:
    """The dates and times of one recording.

    Examples
    --------
    >>> calendar = Calendar()
    >>> for day in ("20240229", "20260101"):
    ...     calendar.learn_date(day)
    >>> calendar.learn_time("093000.25")
    >>> calendar.close()
    >>> calendar.date("20260101"), calendar.time("093000.25")
    ('18500102', '000000.00')
    """

    def __init__(self) -> None:
        self._seen_dates: set[str] = set()
        self._seen_times: set[str] = set()
        self._dates: dict[str, str] = {}
        self._times: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._seen_dates)

    def learn_date(self, text: str) -> None:
        """Take note of a date that occurs."""
        self._seen_dates.add(text)

    def learn_time(self, text: str) -> None:
        """Take note of a time of day that occurs."""
        self._seen_times.add(_full(text))

    def close(self) -> None:
        """Put all that was noted in order."""
        self._dates = {
            text: (_FIRST + timedelta(days=number)).strftime("%Y%m%d")
            for number, text in enumerate(sorted(self._seen_dates))
        }
        rarely = max(1, -(-len(self._seen_times) // _DAY_S))
        self._times = {text: number // rarely for number, text in enumerate(sorted(self._seen_times))}

    def date(self, text: str) -> str:
        """Return what stands for a date."""
        return self._dates.get(text, "18500101")

    def time(self, text: str) -> str:
        """Return what stands for a time of day, in as many letters."""
        second = self._times.get(_full(text), 0)
        whole = f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}.{'0' * 9}"
        return whole[: len(text)]


def is_date(text: str) -> bool:
    """Tell whether a text is a date of the years 1800 to 2099, as DICOM writes it."""
    return _DATE.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Tell whether a text is a time of day, as DICOM writes it."""
    return _TIME.fullmatch(text) is not None


def _full(text: str) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole.ljust(6, '0')}.{fraction.ljust(9, '0')}"
