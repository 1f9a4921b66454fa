"""How the value of a query is read, and which values match it (PS3.4 section C.2.2.2, as Orthanc does it).

The rules stand here once. The index turns a `ValueMatch` into its own words, `matches` answers for one value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.wildcards import Wildcards

__all__ = [
    "RANGED_TAGS",
    "RANGED_VRS",
    "WILDCARD_VRS",
    "Equal",
    "Like",
    "OneOf",
    "ValueMatch",
    "Within",
    "predicate",
    "read_match",
]

_LONGEST_PATTERN = 50_000  # characters; the index of Orthanc takes no longer ones either

RANGED_TAGS = frozenset(
    {"0008,0012", "0008,0013", "0008,0020", "0008,0021", "0008,0022", "0008,0023", "0008,0030", "0008,0031"}
    | {"0008,0032", "0008,0033", "0010,0030", "0010,0032", "0040,0244", "0040,0245", "0040,0250", "0040,0251"}
)
"""The tags of the index for which ``A-B``, ``A-`` and ``-B`` are ranges, whatever their VR."""

RANGED_VRS = frozenset({"DA", "DT", "TM"})
"""The VRs of tags outside of the index for which they are."""

WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""The VRs whose values a query may describe by ``*`` and ``?``."""


class Equal(NamedTuple):
    """A value is this text."""

    text: str


class OneOf(NamedTuple):
    """A value is one of these texts."""

    texts: Sequence[str]


class Like(NamedTuple):
    """A value matches a pattern: ``*`` is any text, ``?`` any one character."""

    pattern: str


class Within(NamedTuple):
    """A value lies between two texts, both included; an empty one sets no limit."""

    low: str
    high: str


ValueMatch = Equal | OneOf | Like | Within


def read_match(wanted: str, *, case_sensitive: bool, ranged: bool = False) -> ValueMatch:
    r"""Read the value of a query.

    Parameters
    ----------
    wanted
        A range ``a-b``, ``a-`` or ``-b`` where the tag has ranges; else several values separated by ``\``, of which
        one must match; else one with wildcards ``*`` and ``?``; else the value itself.
    case_sensitive
        False returns folded texts (`fold`), to be compared with folded values.
    ranged
        Whether the tag has ranges.

    Raises
    ------
    OrthancError
        8 for a pattern of more than 50,000 characters.
    """
    text = wanted if case_sensitive else fold(wanted)
    if ranged and "-" in text:
        low, high = (end.strip() for end in text.split("-", 1))
        return Within(low, high)
    if "\\" in text:
        return OneOf(text.split("\\"))
    if "*" in text or "?" in text:
        if len(text) > _LONGEST_PATTERN:
            raise OrthancError(
                ErrorCode.BAD_REQUEST, f"A pattern with wildcards is longer than {_LONGEST_PATTERN:,} characters"
            )
        return Like(text)
    return Equal(text)


def predicate(wanted: str, *, case_sensitive: bool, ranged: bool = False) -> Callable[[str], bool]:
    r"""Return what tells whether the value of a tag matches; of several (``\``), one must be among those wanted."""
    folded = str if case_sensitive else fold
    match read_match(wanted, case_sensitive=case_sensitive, ranged=ranged):
        case Within(low, high):
            return lambda value: bool(value) and low <= value and (not high or value <= high)
        case OneOf(texts):
            choices = frozenset(texts)
            return lambda value: not choices.isdisjoint(folded(value).split("\\"))
        case Like(pattern):
            matches = Wildcards(pattern).matches
            return lambda value: matches(folded(value))
        case Equal(text):
            return lambda value: folded(value) == text
