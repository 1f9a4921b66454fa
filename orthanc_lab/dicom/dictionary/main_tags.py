"""The main DICOM tags: what the index keeps of each level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from orthanc_lab.protocol.levels import LEVELS, Level

__all__ = ["IDENTIFIER_TAGS", "PATIENT_ID", "SERIES_UID", "SOP_UID", "STUDY_UID", "MainTags"]

PATIENT_ID = "0010,0020"
STUDY_UID = "0020,000d"
SERIES_UID = "0020,000e"
SOP_UID = "0008,0018"

IDENTIFIER_TAGS: dict[Level, str] = dict(zip(LEVELS, (PATIENT_ID, STUDY_UID, SERIES_UID, SOP_UID), strict=True))
"""The tag that names a resource within its parent."""

_DEFAULTS: dict[Level, str] = {
    Level.PATIENT: "0010,0010;0010,0020;0010,0030;0010,0040;0010,1000",
    Level.STUDY: (
        "0008,0020;0008,0030;0008,0050;0008,0080;0008,0090;0008,0201;0008,1030;0020,000d;0020,0010;0032,1032;0032,1060"
    ),
    Level.SERIES: (
        "0008,0021;0008,0031;0008,0060;0008,0070;0008,0201;0008,1010;0008,103e;0008,1070;0018,0010;0018,0015;"
        "0018,0024;0018,1030;0018,1090;0018,1400;0020,000e;0020,0011;0020,0037;0020,0105;0020,1002;0040,0244;"
        "0040,0245;0040,0254;0040,0275;0054,0081;0054,0101;0054,1000"
    ),
    Level.INSTANCE: (
        "0008,0012;0008,0013;0008,0018;0020,0012;0020,0013;0020,0032;0020,0037;0020,0100;0020,4000;0028,0008;0054,1330"
    ),
}


class MainTags:
    """The tags kept at each level: Orthanc's own ones and those of ``ExtraMainDicomTags``.

    Parameters
    ----------
    extra
        Further tags (``gggg,eeee``) of a level.
    """

    def __init__(self, extra: Mapping[Level, Sequence[str]] | None = None) -> None:
        further = extra or {}
        self._by_level = {
            level: tuple(sorted({*_DEFAULTS[level].split(";"), *further.get(level, ())})) for level in LEVELS
        }

    def of(self, level: Level) -> tuple[str, ...]:
        """Return the tags of a level, sorted."""
        return self._by_level[level]

    def signature(self, level: Level) -> str:
        """Return the value of the metadata ``MainDicomTagsSignature``: the tags joined by ``;``."""
        return ";".join(self._by_level[level])

    @cached_property
    def all(self) -> frozenset[str]:
        """The tags of all levels."""
        return frozenset(tag for tags in self._by_level.values() for tag in tags)
