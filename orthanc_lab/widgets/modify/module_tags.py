"""The tags that describe a patient and a study: a split may change them, a merge takes them from the target."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.datadict import tag_for_keyword

__all__ = ["MODULE_TAGS", "STUDY_UID", "tag_number"]

_GROUPS = """
0008 0020 0030 0050 0051 0090 0096 1030 1032 1048 1049 1060 1062 1110 1120
0010 0010 0020 0021 0024 0030 0032 0040 1000 1001 1002 2160 2201 2202 2292 2293 2294 2297 2298 2299 4000
0012 0062 0063 0064
0020 000d 0010
0032 1034
0040 1012
"""


def _tags(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{group},{element}" for group, *elements in map(str.split, lines) for element in elements)


MODULE_TAGS = _tags(_GROUPS.strip().splitlines())
"""The numbers of the patient module and the study module, as Orthanc knows them."""

STUDY_UID = "0020,000d"
"""The number of StudyInstanceUID."""


def tag_number(name: str) -> str:
    """Return the number of a keyword; a number stays one.

    Examples
    --------
    >>> tag_number("PatientName"), tag_number("0019,10ab")
    ('0010,0010', '0019,10ab')
    """
    tag = tag_for_keyword(name)
    return name if tag is None else f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
