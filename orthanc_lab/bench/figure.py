"""A measured figure with a goal: a ratio, or a time."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

__all__ = ["Figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, measured several times."""

    name: str
    values: list[float]
    goal: float
    at_most: bool  # whether the goal is a maximum; otherwise it is a minimum
    unit: str = ""  # "" for a ratio

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool:
        """Whether the goal was reached."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def row(self) -> str:
        """Return a line of a table."""
        unit = f" {self.unit}" if self.unit else ""
        sign = "≤" if self.at_most else "≥"
        spread = f"{min(self.values):.2f} to {max(self.values):.2f}"
        goal = f"{sign} {self.goal:g}{unit}"
        return f"| {self.name} | {self.value:.2f}{unit} ({spread}) | {goal} | {'yes' if self.reached else 'NO'} |"
