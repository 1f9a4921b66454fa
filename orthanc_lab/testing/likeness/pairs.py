"""Values that each server generates itself: UUIDs, UIDs, the time of day.

Two generated values are alike if they are of the same kind and, for identifiers, if the same
value of ours has corresponded to the same value of theirs throughout the scenario.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

__all__ = ["Pairs"]

_CLOCK_SECONDS = 120
_DAY, _QUARTER = 86_400, 900  # seconds
_FARTHEST_ZONES = 26 * 3600  # from UTC-12 to UTC+14
_TWO_DAYS = timedelta(days=2)
_FORMS = {"stamp": "%Y%m%dT%H%M%S", "time": "%H%M%S", "date": "%Y%m%d"}

_TOKEN = re.compile(
    r"(?P<stamp>\b\d{8}T\d{6}(?:\.\d{1,6})?\b)"
    r"|(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{8}){4}\b)"
    r"|(?P<uid>\b(?:2\.25\.\d{10,39}|\d+(?:\.\d+){6,})\b)"
    r"|(?P<md5>\b[0-9a-f]{32}\b)"
    r"|(?P<time>\b\d{6}\.\d{6}\b)"
    r"|(?P<date>\b(?:19|20)\d{6}\b)"
)

_COUNTED = re.compile(r"(?<=\bAnonymized)\d+ ?")
"""The number in the name of an anonymized patient: how many the server has anonymized since its start."""

_UID_ROOT = re.compile(r"1\.2\.276\.0\.7230010\.3\.1\.\d\.|2\.25\.")
"""Roots of generated UIDs: that of DCMTK with the level, and that of UUIDs (DICOM PS 3.5, B.2)."""

_GENERATED_KINDS = frozenset({"id", "uid", "md5"})


class Pairs:
    """The values that differ between the servers in one scenario, and how they correspond.

    Parameters
    ----------
    age
        How long before ours the answers of the real server were recorded, None if they were not. The zones of the two
        servers may differ then, so whole quarters of an hour do not count, and neither do the numbers of anonymized
        patients.

    Attributes
    ----------
    generated
        Whether the scenario has created new DICOM resources. Until then, Orthanc identifiers,
        UIDs and MD5 sums come from the uploaded files and must be equal.
    other_roots
        Generated UIDs that were paired although they have different roots.
    """

    def __init__(self, age: timedelta | None = None) -> None:
        self.generated = False
        self._age = age
        self.other_roots: list[tuple[str, str]] = []
        self._real_by_ours: dict[str, str] = {}
        self._ours_by_real: dict[str, str] = {}

    def real_of(self, ours: str) -> str | None:
        """Return the real server's value that corresponds to one of ours, None if unknown."""
        return self._real_by_ours.get(ours)

    def trial(self) -> Pairs:
        """Return a copy in which pairs can be tried out."""
        other = Pairs(self._age)
        other.generated = self.generated
        other._real_by_ours = dict(self._real_by_ours)
        other._ours_by_real = dict(self._ours_by_real)
        return other

    def alike(self, ours: str, real: str) -> bool:
        """Whether two texts are equal except for corresponding generated values in the same places."""
        if ours == real:
            # A value that was equal once corresponds to itself, and never to another value later.
            return all(self._paired(kind, value, value) for kind, value in _split(ours)[0])
        if self._age is not None:
            ours, real = _COUNTED.sub("", ours), _COUNTED.sub("", real)
        our_tokens, our_frame = _split(ours)
        real_tokens, real_frame = _split(real)
        if our_frame != real_frame or not (our_tokens or ours == real):
            return False
        return all(
            self._paired(kind, mine, theirs[1]) for (kind, mine), theirs in zip(our_tokens, real_tokens, strict=True)
        )

    def _paired(self, kind: str, ours: str, real: str) -> bool:
        if kind in {"stamp", "time", "date"}:
            return ours == real or self._close(kind, ours, real)
        if ours != real and kind in _GENERATED_KINDS and not self.generated:
            return False
        if ours != real and kind == "uid" and not self._roots_alike(ours, real):
            return False
        known = self._real_by_ours.setdefault(ours, real)
        return known == real and self._ours_by_real.setdefault(real, ours) == ours

    def _close(self, kind: str, ours: str, real: str) -> bool:
        """Whether two times are close: the same zone and format, and at most minutes apart."""
        mine, theirs = _moment(kind, ours), _moment(kind, real)
        if mine is None or theirs is None:
            return mine is theirs
        apart = mine - theirs - (self._age or timedelta())
        if kind == "date":
            return abs(apart) < _TWO_DAYS
        seconds = abs(apart.total_seconds())
        if self._age is None:
            return min(seconds, abs(seconds - _DAY)) <= _CLOCK_SECONDS
        if kind == "stamp" and seconds > _FARTHEST_ZONES:
            return False
        return min(seconds % _QUARTER, -seconds % _QUARTER) <= _CLOCK_SECONDS

    def _roots_alike(self, ours: str, real: str) -> bool:
        mine, theirs = _UID_ROOT.match(ours), _UID_ROOT.match(real)
        if mine is None or theirs is None:
            return False
        if mine.group() == theirs.group():
            return True
        if mine.group() != "2.25.":
            return False
        self.other_roots.append((ours, real))
        return True


def _split(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the generated values in a text with their kinds, and the text with the kinds in their place."""
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(text)]
    return tokens, _TOKEN.sub(lambda match: f"<{match.lastgroup}>", text)


def _moment(kind: str, text: str) -> datetime | None:
    try:
        return datetime.strptime(text.partition(".")[0], _FORMS[kind])
    except ValueError:
        return None
