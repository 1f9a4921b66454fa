"""What a DICOM header says, read from the JSON of ``/instances/{id}/tags``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Header"]

_SHARED, _PER_FRAME = "5200,9229", "5200,9230"


class Header:
    r"""The values of a data set by tag; those of a frame may stand in functional groups.

    Examples
    --------
    >>> header = Header({"0028,0030": {"Name": "PixelSpacing", "Type": "String", "Value": "0.5\\0.25"}})
    >>> header.numbers("0028,0030"), header.text("0008,0060")
    ([0.5, 0.25], '')
    """

    def __init__(self, tags: Mapping[str, Any]) -> None:
        self._tags = tags
        self._items: dict[str, list[Header]] = {}  # a thousand frames are asked for one by one

    def text(self, tag: str) -> str:
        """Return a value as text, "" if there is none."""
        value = self._tags.get(tag, {}).get("Value")
        return value.strip(" \0") if isinstance(value, str) else ""

    def numbers(self, tag: str, count: int = 1) -> list[float]:
        """Return the values as numbers; an empty list if there are fewer than `count`, or others."""
        try:
            numbers = [float(part) for part in self.text(tag).split("\\")] if self.text(tag) else []
        except ValueError:
            return []
        is_finite = all(abs(number) < float("inf") for number in numbers)
        return numbers if is_finite and len(numbers) >= count else []

    def number(self, tag: str, default: float) -> float:
        """Return the first value as a number."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else default

    def items(self, tag: str) -> list[Header]:
        """Return the items of a sequence."""
        if tag not in self._items:
            value = self._tags.get(tag, {}).get("Value")
            found = value if isinstance(value, list) else []
            self._items[tag] = [Header(item) for item in found if isinstance(item, dict)]
        return self._items[tag]

    @property
    def frames(self) -> int:
        """NumberOfFrames, 1 if there is none."""
        return max(int(self.number("0028,0008", 1)), 1)

    @property
    def is_quadruped(self) -> bool:
        """Whether its axes are those of an animal on four legs, which have other names."""
        return self.text("0010,2210") == "QUADRUPED"

    @property
    def has_groups(self) -> bool:
        """Whether its frames are described in functional groups."""
        return bool(self.items(_SHARED) or self.items(_PER_FRAME))

    def group(self, tag: str, frame: int) -> Header:
        """Return the functional group of a frame; the data set itself if it has no such groups."""
        if not self.has_groups:
            return self
        found = self._of_frame(tag, frame) or self._of_all(tag)
        return found[0] if found else Header({})

    def is_shared(self, tag: str, frame: int) -> bool:
        """Whether a functional group of a frame is that of all frames."""
        return bool(self._of_all(tag)) and not self._of_frame(tag, frame)

    def _of_frame(self, tag: str, frame: int) -> list[Header]:
        return [group for item in self.items(_PER_FRAME)[frame : frame + 1] for group in item.items(tag)]

    def _of_all(self, tag: str) -> list[Header]:
        return [group for item in self.items(_SHARED)[:1] for group in item.items(tag)]
