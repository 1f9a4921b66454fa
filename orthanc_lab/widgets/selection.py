"""The checked items of a tree whose branches are loaded on demand: pure logic, without widgets or a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

__all__ = ["Below", "Selection", "State"]

State = Literal["true", "false", "mixed"]
"""The values of ``aria-checked``."""

Below = Callable[[str], list[str]]
"""Returns the ids directly below an id."""


class Selection:
    """Checked ids; a checked id covers everything below it, loaded or not, and no checked id covers another.

    Examples
    --------
    >>> selection = Selection()
    >>> selection.learn({"study": "patient", "series 1": "study", "series 2": "study"})
    >>> selection.toggle("patient", below=lambda id: ["study"])
    >>> selection.state("series 1")
    'true'
    >>> selection.toggle("series 1", below={"patient": ["study"], "study": ["series 1", "series 2"]}.get)
    >>> sorted(selection.checked), selection.state("patient"), selection.state("series 1")
    (['series 2'], 'mixed', 'false')
    """

    def __init__(self) -> None:
        self.checked: dict[str, None] = {}  # in the order of the clicks
        self._parents: dict[str, str] = {}

    def learn(self, parents: dict[str, str]) -> None:
        """Record the parent of each id; the roots have the parent ""."""
        self._parents.update(parents)

    def lineage(self, id: str) -> Iterator[str]:
        """Iterate over an id and all its ancestors."""
        while id:
            yield id
            id = self._parents.get(id, "")

    def cover(self, id: str) -> str:
        """Return the checked id that covers an id, "" if there is none."""
        return next((above for above in self.lineage(id) if above in self.checked), "")

    @property
    def mixed(self) -> list[str]:
        """Ids above a checked one, sorted."""
        return sorted({above for id in self.checked for above in self.lineage(id) if above != id})

    def state(self, id: str) -> State:
        """Return the state of the check box of an id."""
        if self.cover(id):
            return "true"
        return "mixed" if id in self.mixed else "false"

    def toggle(self, id: str, below: Below, complete: Callable[[str], list[str] | None] = lambda id: None) -> None:
        """Check an id, or uncheck it if it is checked or covered.

        Parameters
        ----------
        below
            Called when something below a checked id is unchecked, so that its siblings stay checked.
        complete
            Returns everything directly below an id if all of it is known, else None: once all of it is checked, so is
            the id.
        """
        cover = self.cover(id)
        if not cover:
            self._check(id, complete)
            return
        kept: list[str] = []
        lower = id
        while lower != cover:  # everything is fetched before anything changes, in case the server does not answer
            upper = self._parents[lower]
            neighbours = below(upper)
            self.learn(dict.fromkeys(neighbours, upper))
            kept += [other for other in neighbours if other != lower]
            lower = upper
        del self.checked[cover]
        self.checked.update(dict.fromkeys(kept))

    def _check(self, id: str, complete: Callable[[str], list[str] | None]) -> None:
        while True:
            for other in [other for other in self.checked if id in self.lineage(other)]:
                del self.checked[other]
            self.checked[id] = None
            id = self._parents.get(id, "")
            whole = complete(id) if id else None
            if not whole or any(one not in self.checked for one in whole):
                return

    def drop(self, ids: Iterable[str]) -> None:
        """Uncheck ids that no longer exist."""
        for id in ids:
            self.checked.pop(id, None)

    def adopt(self, other: Selection) -> None:
        """Check the same as another selection."""
        self._parents.update(other._parents)
        self.checked = dict(other.checked)

    def clear(self) -> None:
        """Uncheck everything."""
        self.checked.clear()
