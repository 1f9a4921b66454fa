"""A difference between two responses."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Difference"]

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs between the two responses."""

    field: str  # "status", "header etag", "body $.Content.ID", "zip member 2", "dicom (0010,0010)" …
    ours: str
    real: str

    @classmethod
    def of(cls, field: str, ours: object, real: object) -> Difference:
        """Make a difference from any two values, shortened to a line or two."""
        return cls(field, _short(ours), _short(real))

    def __str__(self) -> str:
        return f"{self.field}\n    ours: {self.ours}\n    real: {self.real}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"
