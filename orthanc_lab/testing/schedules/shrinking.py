"""Making a schedule that fails as short as it gets.

Not by hypothesis, which was measured on the four bugs that are planted in the tests, with a draw for each move: a run
took 1.6 to 9.6 ms instead of 0.6, an output freed while it is downloaded was found in one of three times 2,000
schedules (here within 60 in ten of ten), and what was left had 6 or 7 lines (here 3 to 5). It does not know that most
moves are what would have come anyway, and need not be told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from orthanc_lab.testing.schedules.text import Line

__all__ = ["Needed", "shrink"]


class Needed(NamedTuple):
    """What is needed of a schedule that fails."""

    lines: list[Line]
    detours: int  # how far its choices are from the usual ones

    @property
    def size(self) -> tuple[int, int, int]:
        """What is to be as small as it gets."""
        return len(self.lines), sum(line.times for line in self.lines), self.detours


Attempt = Callable[[Sequence[Line]], Needed | None]
"""Runs a schedule; returns None if it does not fail in the same way."""


def shrink(needed: Needed, attempt: Attempt, most_runs: int) -> list[Line]:
    """Return the fewest lines found that still fail.

    Whole lines go first, many at a time; then lines are repeated less often, lines of the same name are put
    together, and lines come earlier or later. All of that is tried until none of it helps any more.
    """
    shrinker = _Shrinker(needed, attempt, most_runs)
    before = None
    while before != shrinker.best and shrinker.runs_left:
        before = shrinker.best
        shrinker.without_lines()
        shrinker.with_smaller_counts()
        shrinker.put_together()
        shrinker.in_another_order()
    return shrinker.best


class _Shrinker:
    def __init__(self, needed: Needed, attempt: Attempt, most_runs: int) -> None:
        self._needed = needed
        self.runs_left = most_runs
        self._attempt = attempt
        self._tried: set[tuple[Line, ...]] = set()

    @property
    def best(self) -> list[Line]:
        return self._needed.lines

    def without_lines(self) -> None:
        size = len(self.best)
        while size:
            end = len(self.best)
            while end > 0:
                start = max(end - size, 0)
                self._try([*self.best[:start], *self.best[end:]])
                end = min(start, len(self.best))
            size //= 2

    def with_smaller_counts(self) -> None:
        for index in reversed(range(len(self.best))):
            smaller = True
            while smaller and index < len(self.best):
                name, count = self.best[index]
                counts = [number for number in (1, count // 2, count - 1) if 0 < number < count]
                smaller = any(self._try(self._with(index, Line(name, number))) for number in counts)

    def put_together(self) -> None:
        index = 0
        while index < len(self.best):
            name, count = self.best[index]
            later = next((at for at in range(index + 1, len(self.best)) if self.best[at].name == name), None)
            if later is not None:
                joined = Line(name, count + self.best[later].times)
                rest = [*self.best[:later], *self.best[later + 1 :]]
                early = [*rest[:index], joined, *rest[index + 1 :]]
                late = [*self.best[:index], *self.best[index + 1 : later], joined, *self.best[later + 1 :]]
                if self._try(early) or self._try(late):
                    continue
            index += 1

    def in_another_order(self) -> None:
        index = 0
        while index < len(self.best):
            line, rest = self.best[index], [*self.best[:index], *self.best[index + 1 :]]
            places = (place for place in range(len(rest) + 1) if place != index)
            if not any(self._try([*rest[:place], line, *rest[place:]]) for place in places):
                index += 1

    def _with(self, index: int, line: Line) -> list[Line]:
        return [*self.best[:index], line, *self.best[index + 1 :]]

    def _try(self, candidate: list[Line]) -> bool:
        key = tuple(candidate)
        if not self.runs_left or key in self._tried:
            return False
        self._tried.add(key)
        self.runs_left -= 1
        found = self._attempt(candidate)
        if found is None or found.size >= self._needed.size:
            return False
        self._needed = found
        return True
