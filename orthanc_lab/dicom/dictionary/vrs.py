"""The value representations of DICOM (PS3.5 sections 6.2 and 7.1.2)."""

from __future__ import annotations

__all__ = [
    "LONG_VRS",
    "SHORT_VRS",
    "STRING_VRS",
    "TEXT_VRS",
    "TEXT_VRS_OF_CHARSET",
    "VRS",
    "VR_BY_BYTES",
    "WORD_SIZES",
    "as_bytes",
]

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
"""The VRs whose length takes four bytes in an explicit transfer syntax (PS3.5 table 7.1-1)."""

SHORT_VRS = frozenset(
    {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM"}
    | {"UI", "UL", "US"}
)
"""The VRs whose length takes two bytes."""

VRS = LONG_VRS | SHORT_VRS
"""All VRs of the standard."""

STRING_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"})
"""The VRs of texts that are padded with a space."""

TEXT_VRS = STRING_VRS | {"UI"}
"""The VRs of all texts; a UID is padded with NUL."""

TEXT_VRS_OF_CHARSET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""The VRs of texts in the character set of the file (PS3.5 section 6.1.2.3)."""

WORD_SIZES = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
"""Bytes of each number in a value, where the byte order matters (PS3.5 section 7.3)."""


def as_bytes(vrs: frozenset[str]) -> frozenset[bytes]:
    """Return VRs as they stand in a file."""
    return frozenset(vr.encode("ascii") for vr in vrs)


VR_BY_BYTES = {vr.encode("ascii"): vr for vr in VRS}
"""Each VR by the two bytes that stand for it in a file."""
