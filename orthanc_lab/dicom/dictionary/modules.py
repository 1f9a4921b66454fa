"""The tags of the modules that describe a patient, study, series and instance (PS3.3 annex C).

They are the Patient, General Study, General Series and SOP Common modules as Orthanc knows them.
"""

from __future__ import annotations

from orthanc_lab.protocol.levels import Level

__all__ = ["MODULES"]

_TAGS = {
    Level.PATIENT: (
        "0008 1120",
        "0010 0010 0020 0021 0024 0030 0032 0040 1000 1001 1002 2160 2201 2202 2292 2293 2294",
        "0010 2297 2298 2299 4000",
        "0012 0062 0063 0064",
    ),
    Level.STUDY: (
        "0008 0020 0030 0050 0051 0090 0096 1030 1032 1048 1049 1060 1062 1110",
        "0020 000d 0010",
        "0032 1034",
        "0040 1012",
    ),
    Level.SERIES: (
        "0008 0021 0031 0060 103e 103f 1050 1052 1070 1072 1111 1250",
        "0010 2210",
        "0018 0015 1030 5100",
        "0020 000e 0011 0060",
        "0028 0108",
        "0040 0244 0245 0253 0254 0260 0275 0280",
    ),
    Level.INSTANCE: (
        "0008 0005 0012 0013 0014 0016 0018 001a 001b 0110 0201",
        "0018 a001",
        "0020 0013",
        "0028 0303",
        "0040 a390",
        "0100 0410 0420 0424 0426",
        "0400 0500 0561",
        "4ffe 0001",
    ),
}
"""Each line: a group, and its elements."""


def _tags(lines: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for line in lines:
        group, *elements = line.split()
        found.update(int(group + element, 16) for element in elements)
    return frozenset(found)


MODULES: dict[Level, frozenset[int]] = {level: _tags(lines) for level, lines in _TAGS.items()}
"""The tags of the module of each level."""
