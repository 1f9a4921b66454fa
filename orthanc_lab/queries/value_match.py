"""Matching of one value against the value of a query (PS3.4 section C.2.2.2, as Orthanc does it)."""

from __future__ import annotations

import re
from collections.abc import Callable

from orthanc_lab.storage.folding import fold as folded

__all__ = ["ValueMatch", "value_match"]

ValueMatch = Callable[[str], bool]

_RANGE_VRS = frozenset({"DA", "DT", "TM"})


def value_match(wanted: str, vr: str, *, case_sensitive: bool) -> ValueMatch:
    r"""Return what tells whether a value matches.

    Parameters
    ----------
    wanted
        A range ``a-b``, ``a-`` or ``-b`` of dates or times; else several values separated by
        ``\``, of which one must be among those of the tag; else one with wildcards ``*`` and ``?``;
        else the value itself.
    vr
        VR of the tag.
    """
    if vr in _RANGE_VRS and "-" in wanted:
        return _range_match(wanted)
    fold = str if case_sensitive else folded
    if "\\" in wanted:
        choices = frozenset(fold(wanted).split("\\"))
        return lambda value: not choices.isdisjoint(fold(value).split("\\"))
    if "*" in wanted or "?" in wanted:
        pattern = "".join(".*" if mark == "*" else "." if mark == "?" else re.escape(mark) for mark in fold(wanted))
        matches = re.compile(pattern, re.DOTALL).fullmatch
        return lambda value: matches(fold(value)) is not None
    expected = fold(wanted)
    return lambda value: fold(value) == expected


def _range_match(wanted: str) -> ValueMatch:
    low, _, high = (part.strip() for part in wanted.partition("-"))
    return lambda value: bool(value) and low <= value and (not high or value <= high)
