"""What a new instance inherits of its parent (PS3.3: patient, study and series modules)."""

from __future__ import annotations

from orthanc_lab.dicom.data_set import DataSet
from orthanc_lab.protocol.levels import Level

__all__ = ["MODULES", "inherited"]

_PATIENT = (
    0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100032, 0x00100040, 0x00101000, 0x00101001, 0x00102160,
    0x00102201, 0x00102292, 0x00102297, 0x00102298, 0x00102299, 0x00104000, 0x00120062, 0x00120063,
)  # fmt: skip
_STUDY = (
    0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00081048, 0x00081060, 0x0020000D, 0x00200010,
)  # fmt: skip
_SERIES = (
    0x00080021, 0x00080031, 0x00080060, 0x0008103E, 0x00081050, 0x00081070, 0x00102210, 0x00180015, 0x00181030,
    0x00185100, 0x0020000E, 0x00200011, 0x00200060, 0x00400244, 0x00400245, 0x00400253, 0x00400254, 0x00400280,
)  # fmt: skip

MODULES: dict[Level, tuple[int, ...]] = {Level.PATIENT: _PATIENT, Level.STUDY: _STUDY, Level.SERIES: _SERIES}
"""The tags that Orthanc counts to each level."""


def inherited(model: DataSet, level: Level) -> DataSet:
    """Return the tags of `model` that belong to a parent of this level and to those above it.

    Sequences are left out, as in Orthanc.
    """
    modules = (tags for own, tags in MODULES.items() if own.depth <= level.depth)
    found = {tag: model[tag] for tags in modules for tag in tags if tag in model}
    return {tag: element for tag, element in found.items() if isinstance(element.value, bytes)}
