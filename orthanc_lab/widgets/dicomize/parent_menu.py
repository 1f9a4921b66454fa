"""Choosing the patient, study or series to attach new instances to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial

import ipywidgets

from orthanc_lab.client import Client
from orthanc_lab.widgets.dicomize.field import Problem, row
from orthanc_lab.widgets.dicomize.parents import LEVELS, Found, Parents, find_parents

__all__ = ["ParentMenu"]

_MOST = 50
_NONE = "none: a new patient"

Act = Callable[[str, Callable[[], "str | None"]], "Future[None]"]


class ParentMenu(ipywidgets.VBox):
    """A list of possible parents, searched while the user types.

    Parameters
    ----------
    client
        A client for the server.
    act
        Runs an action in the background, like `Panel.act`.
    changed
        Called when another parent was chosen.
    finder
        The client that searches, if not `client`: one that notes what it is asked for.
    """

    def __init__(
        self, client: Client, act: Act, changed: Callable[[], None] = lambda: None, finder: Client | None = None
    ) -> None:
        self.client = client
        self._finder = finder
        self._act = act
        self._changed = changed
        self._found: Mapping[str, Found] = {}
        self.level = ipywidgets.Dropdown(
            options=[_NONE, *LEVELS],
            description="Parent",
            tooltip="What to attach it to",
            style=_STYLE,
            layout={"width": "340px", "max_width": "100%"},
        )
        self.text = ipywidgets.Text(description="Search", placeholder="name, ID, UID …", style=_STYLE)
        self.choice = ipywidgets.Select(
            options=[], description="Found", rows=6, style=_STYLE, layout={"width": "auto", "max_width": "800px"}
        )
        self.count = ipywidgets.Label(layout={"margin": "0 0 0 min(154px, 20%)"})
        self.problem = Problem()
        self.level.observe(lambda change: self._ask(), "value")
        self.text.observe(lambda change: self._ask(), "value")
        self.choice.observe(lambda change: self._changed(), "value")
        super().__init__([row(self.level, self.text), self.choice, self.count, self.problem])
        self._draw()

    @property
    def value(self) -> str:
        """Orthanc identifier of the chosen parent, "" for none."""
        return "" if self.level.value == _NONE else str(self.choice.value or "")

    @property
    def inherited(self) -> Mapping[str, str]:
        """What the chosen parent gives to its children, by keyword."""
        return self._found[self.value].inherited if self.value in self._found else {}

    @property
    def is_missing(self) -> bool:
        """Whether a level is chosen, but no parent."""
        return self.level.value != _NONE and not self.value

    def focus(self) -> None:
        """Put the keyboard focus where a parent is chosen."""
        (self.choice if self.choice.options else self.text).focus()

    def _draw(self) -> None:
        display = "none" if self.level.value == _NONE else ""
        for part in (self.text, self.choice, self.count):
            part.layout.display = display

    def _ask(self) -> None:
        self._draw()
        self.problem.say("")
        wanted = (self.level.value, self.text.value.strip())
        if self.level.value == _NONE:
            self._show(Parents([], 0))
        else:
            self._act("Searching", partial(self._search, *wanted))

    def _is_wanted(self, level: str, text: str) -> bool:
        return (level, text) == (self.level.value, self.text.value.strip())

    def _search(self, level: str, text: str) -> str:
        if not self._is_wanted(level, text):
            return ""  # the user has typed on
        parents = find_parents(self.client, level, text, _MOST, self._finder)
        if not self._is_wanted(level, text):
            return ""
        self._show(parents)
        if parents.count:
            return ""
        return f"Nothing found for {text!r}." if text else "Nothing is stored yet."

    def _show(self, parents: Parents) -> None:
        kept = self.choice.value
        self._found = {parent.id: parent for parent in parents.found}
        self.choice.options = [(parent.words, parent.id) for parent in parents.found]
        self.choice.value = kept if kept in self._found else None
        self.count.value = _counted(parents)
        self._changed()


_STYLE = {"description_width": "150px"}


def _counted(parents: Parents) -> str:
    if len(parents.found) == parents.count and not parents.is_more:
        return ""
    words = "at least " if parents.is_more else ""
    return f"{len(parents.found)} of {words}{parents.count:,} are shown: type more to narrow the search."
