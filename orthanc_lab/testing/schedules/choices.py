"""What decides what happens next: a schedule that is followed, or a record of what another one decides."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.protocol.seeded import Choices
from orthanc_lab.testing.schedules.text import Line, to_lines

__all__ = ["TIME", "MismatchError", "RecordedChoices", "ScriptedChoices"]

TIME = "time"
"""The name of the move of the clock to the moment at which the next task is due."""


class MismatchError(ValueError):
    """A schedule that does not belong to this scenario, or not to this version of it or of the package."""


class RecordedChoices:
    """Writes down what other choices decide.

    Attributes
    ----------
    names
        What was chosen.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.names: list[str] = []

    def choose(self, names: Sequence[str], *, optional: int = 0) -> int:
        """Return the index of one of these names."""
        index = self._choices.choose(names, optional=optional)
        self.names.append(names[index])
        return index


class ScriptedChoices:
    """Follows the lines of a schedule; after the last one, everything takes its usual course.

    The usual course has few changes: a task goes on until it waits, then the first that can go on does; commands
    come when no task can go on any more, then time passes, and what may happen does not.

    Parameters
    ----------
    strict
        Whether a line that does not fit is an error; else it is left out.

    Attributes
    ----------
    detours
        How far the choices are from the usual ones, all together.
    """

    def __init__(self, lines: Sequence[Line], *, strict: bool) -> None:
        self._lines = lines
        self._strict = strict
        self._at = 0
        self._left = lines[0].times if lines else 0
        self._last = ""
        self._usual = 0  # how many of the last choices were the usual ones
        self._names: list[str] = []
        self.detours = 0

    def choose(self, names: Sequence[str], *, optional: int = 0) -> int:
        """Return the index of one of these names.

        Raises
        ------
        MismatchError
            If the next line of a strict schedule is none of them.
        """
        usual = self._usual_one(names)
        index = self._scripted_one(names)
        if index is None:
            index = usual
        self._usual = self._usual + 1 if index == usual else 0
        self.detours += abs(index - usual)
        self._last = names[index]
        self._names.append(self._last)
        return index

    @property
    def lines(self) -> list[Line]:
        """What was chosen, without the usual course at the end."""
        return to_lines(self._names[: len(self._names) - self._usual])

    @property
    def length(self) -> int:
        """How many choices there were."""
        return len(self._names)

    def check_that_all_was_used(self) -> None:
        """Refuse a schedule that is longer than the scenario.

        Raises
        ------
        MismatchError
            If lines are left.
        """
        if self._at < len(self._lines):
            line = self._lines[self._at]
            raise MismatchError(f"The scenario ended before line {self._at + 1} of the schedule: {line.name}")

    def _usual_one(self, names: Sequence[str]) -> int:
        last = self._last
        return names.index(last) if last in names and last != TIME and " = " not in last else 0

    def _scripted_one(self, names: Sequence[str]) -> int | None:
        while self._at < len(self._lines):
            name = self._lines[self._at].name
            if name in names:
                self._left -= 1
                if not self._left:
                    self._next_line()
                return names.index(name)
            if self._strict:
                raise MismatchError(
                    f"Line {self._at + 1} of the schedule is {name!r}, but only these can go on: {', '.join(names)}."
                    " It belongs to another scenario, or to another version of this one or of orthanc-lab"
                )
            self._next_line()
        return None

    def _next_line(self) -> None:
        self._at += 1
        self._left = self._lines[self._at].times if self._at < len(self._lines) else 0
