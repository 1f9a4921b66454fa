"""What a person reads before a capsule is saved: what was replaced, and every value that was not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Manifest"]

_MOST_PLACES = 2000
_MOST_VALUES = 200  # of one place that are counted
_MOST_SHOWN = 12  # of one place


@dataclass(slots=True)
class Manifest:
    """What a capsule holds; its text is for a person to read.

    Examples
    --------
    >>> manifest = Manifest()
    >>> manifest.keep("(0008,0060) Modality", "CT")
    >>> print(str(manifest).splitlines()[-2])
      (0008,0060) Modality: CT
    """

    exchanges: int = field(init=False, default=0)
    bodies: Counter[str] = field(init=False, default_factory=Counter)
    """Different bodies, by what they are."""
    replaced: Counter[str] = field(init=False, default_factory=Counter)
    """What was replaced, by what it was."""
    unread: int = field(init=False, default=0)
    """Bytes of DICOM files and documents that could not be read, and are zero."""
    headers: int = field(init=False, default=0)
    """Headers that were left out."""
    kept: dict[str, Counter[str]] = field(init=False, default_factory=dict)
    """Values that stay as they were, by the place where they stand."""

    def keep(self, place: str, value: str) -> None:
        """Take note of a value that stays as it was."""
        values = self.kept.get(place)
        if values is None:
            if len(self.kept) >= _MOST_PLACES:
                place = "(other places)"
            values = self.kept.setdefault(place, Counter())
        if len(values) >= _MOST_VALUES and value not in values:
            value = "…"
        values[value] += 1

    def __str__(self) -> str:
        lines = [
            f"{self.exchanges} exchanges, with {sum(self.bodies.values())} different bodies:",
            *(f"  {number:8}  {kind}" for kind, number in sorted(self.bodies.items())),
            "Replaced by pseudonyms, the same wherever they occur, of the same length:",
            *(f"  {number:8}  {kind}" for kind, number in sorted(self.replaced.items())),
            f"  {self.headers:8}  headers left out",
            "Pixels, binary values and free text are gone: zeros and x, of the same length.",
            "Dates and times tell their order, and nothing else.",
        ]
        if self.unread:
            lines.append(f"{self.unread} bytes could not be read, and are zero.")
        lines.append("Kept as they were, apart from numbers that count, and from lengths:")
        for place, values in sorted(self.kept.items()):
            shown = ", ".join(f"{value}" for value, _ in values.most_common(_MOST_SHOWN))
            more = f" … {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
            lines.append(f"  {place}: {shown}{more}")
        lines.append("How long texts and files are, how many there are, and when each request came, is kept too.")
        return "\n".join(lines)
