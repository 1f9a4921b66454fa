"""What became of an import, for the user."""

from __future__ import annotations

from dataclasses import dataclass, field

from orthanc_lab.protocol.visible import visible

__all__ = ["Report"]

_MOST_LISTED = 10_000


@dataclass(slots=True)
class Report:
    """Counts, and what could not be taken with the reasons."""

    taken: int = 0  # instances
    present: int = 0  # instances that were there already, with the same file
    changes: int = 0
    exports: int = 0
    lost: int = 0  # what could not be taken
    reasons: list[str] = field(default_factory=list)  # of the first of them
    notes: list[str] = field(default_factory=list)  # further lines
    verb: str = "imported"

    def lose(self, what: str, why: str) -> None:
        """Take note of something that could not be taken."""
        self.lost += 1
        if len(self.reasons) < _MOST_LISTED:
            self.reasons.append(f"{what}: {why}")

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        lines = [
            f"{self.taken} instances were {self.verb}, {self.present} were there already",
            f"{self.changes} changes and {self.exports} exports were {self.verb}",
            *self.notes,
        ]
        if self.lost:
            lines += [f"{self.lost} could not be taken:", *(f"  {reason}" for reason in self.reasons)]
            if self.lost > len(self.reasons):
                lines.append(f"  and {self.lost - len(self.reasons)} more")
        return [visible(line) for line in lines]
