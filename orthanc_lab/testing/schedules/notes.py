"""What the lines of a schedule do to jobs, for whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.seeded import Choices
from orthanc_lab.testing.schedules.text import Line

__all__ = ["NotedChoices"]

_LONGEST = 90  # letters of a note

States = Mapping[str, JobState]
"""The states of jobs, by their ids."""


class NotedChoices:
    """Looks at the jobs before and after each move that other choices decide on.

    Attributes
    ----------
    states
        Returns the states of all jobs; set once there is a simulation.
    """

    def __init__(self, choices: Choices) -> None:
        self.states: Callable[[], States] = dict
        self._choices = choices
        self._seen: dict[str, JobState] = {}
        self._numbers: dict[str, int] = {}
        self._histories: list[dict[str, list[str]]] = []  # for each move: what became of which job

    def choose(self, names: Sequence[str], *, optional: int = 0) -> int:
        """Return the index of one of these names."""
        self._look()
        self._histories.append({})
        return self._choices.choose(names, optional=optional)

    def notes(self, lines: Sequence[Line]) -> list[str]:
        """Return what each line does to jobs, "" for nothing."""
        self._look()
        found, first = [], 0
        for line in lines:
            found.append(self._note(self._histories[first : first + line.times]))
            first += line.times
        return found

    def _look(self) -> None:
        now = self.states()
        changes = self._histories[-1] if self._histories else {}
        for id in (*now, *(self._seen.keys() - now.keys())):
            before, after = self._seen.get(id), now.get(id)
            if before is not after:
                self._numbers.setdefault(id, len(self._numbers) + 1)
                history = changes.setdefault(id, [before.value] if before else [])
                history.append(after.value if after else "gone")
        self._seen = dict(now)

    def _note(self, moves: Sequence[Mapping[str, Sequence[str]]]) -> str:
        joined: dict[str, list[str]] = {}
        for move in moves:
            for id, history in move.items():
                states = joined.setdefault(id, [])
                states += history[1:] if states else history
        parts = (f"job {self._numbers[id]}: {' → '.join(states)}" for id, states in joined.items())
        text = ", ".join(parts)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
