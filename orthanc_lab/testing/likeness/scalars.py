"""Values that may differ depending on their name: run times, sizes of written files, ports."""

from __future__ import annotations

import re

from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["scalars_alike"]

_ANY_NUMBER = frozenset(
    {"EffectiveRuntime", "ArchiveSize", "HttpPort", "DicomPort", "DatabaseServerIdentifier", "Progress?"}
)
"""Only the types of these are compared: the values depend on the machine or on the deflate codec."""

_SIZES = frozenset(
    {
        "FileSize",
        "DiskSize",
        "UncompressedSize",
        "DicomDiskSize",
        "DicomUncompressedSize",
        "TotalDiskSize",
        "TotalUncompressedSize",
        "CompressedSize",
        "Size",
        "PixelDataOffset",
        "size",
        "compressed-size",
    }
)
"""Sizes that may differ slightly once a scenario generates files, whose UIDs have different lengths."""

_SIZE_TOLERANCE = 2000


def scalars_alike(name: str, ours: object, real: object, pairs: Pairs) -> bool:
    """Whether two scalar values are alike.

    Parameters
    ----------
    name
        The key of the value, or the last part of the path of the request.
    ours, real
        Text, number, boolean or None.
    pairs
        The values that the scenario has paired so far.
    """
    if type(ours) is not type(real):
        return False
    if ours == real and not isinstance(ours, str):
        return True
    if name in _ANY_NUMBER or (name == "ArchiveSizeMB" and _near(ours, real, 1)):
        return isinstance(ours, (int, float)) or _is_number(ours) == _is_number(real)
    if pairs.generated and name in _SIZES:
        return _near(ours, real, _SIZE_TOLERANCE)
    return isinstance(ours, str) and isinstance(real, str) and pairs.alike(ours, real)


def _is_number(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value) is not None


def _near(ours: object, real: object, tolerance: int) -> bool:
    try:
        return abs(int(str(ours)) - int(str(real))) <= tolerance
    except ValueError:
        return False
