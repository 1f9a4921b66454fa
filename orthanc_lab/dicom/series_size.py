"""How many instances a series should have, and whether it has them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = ["expected_instances", "instance_index", "is_complete", "parse_index"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}\Z", re.ASCII)
_PAIRS = (("0020,1002", "0020,0105"), ("0054,0081", "0054,0101"))
"""ImagesInAcquisition x NumberOfTemporalPositions; NumberOfSlices x NumberOfTimeSlices."""
_CARDIAC_NUMBER_OF_IMAGES = "0018,1090"


def instance_index(tags: Mapping[str, str]) -> str | None:
    """Return the metadata ``IndexInSeries``: InstanceNumber, or else ImageIndex; None if both are absent."""
    index = tags.get("0020,0013", tags.get("0054,1330"))
    return None if index is None else index.strip()


def parse_index(text: str | None) -> int | None:
    """Return a number in the form of an IS, None for any other text."""
    return int(text) if text is not None and _INTEGER.match(text) else None


def expected_instances(tags: Mapping[str, str]) -> int | None:
    """Return the metadata ``ExpectedNumberOfInstances`` that the first instance of a series gives it.

    Parameters
    ----------
    tags
        Main DICOM tags of series and instance, ``gggg,eeee``.
    """
    index = instance_index(tags)
    if index is not None and parse_index(index) is None:
        return None
    for first, second in _PAIRS:
        if first in tags and second in tags:
            factors = parse_index(tags[first].strip()), parse_index(tags[second].strip())
            if factors[0] is None or factors[1] is None:
                return None
            return factors[0] * factors[1] if factors[0] * factors[1] > 0 else None
    number = parse_index(tags.get(_CARDIAC_NUMBER_OF_IMAGES, "").strip())
    return number if number is not None and number > 0 else None


def is_complete(indexes: Collection[int], expected: int) -> bool:
    """Tell whether the different ``IndexInSeries`` of a series' instances are exactly 1 … `expected`."""
    return len(indexes) == expected and min(indexes) == 1 and max(indexes) == expected
