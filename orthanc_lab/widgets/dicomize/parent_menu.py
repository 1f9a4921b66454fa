"""Choosing the patient, study or series to attach new instances to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import ipywidgets

from orthanc_lab.client import Client
from orthanc_lab.widgets.dicomize.field import Problem, row
from orthanc_lab.widgets.dicomize.parents import LEVELS, find_parents

__all__ = ["ParentMenu"]

_MOST = 50
_NONE = "none: a new patient"

Act = Callable[[str, Callable[[], "str | None"]], "Future[None]"]


class ParentMenu(ipywidgets.VBox):
    """A searchable list of possible parents.

    Parameters
    ----------
    client
        A client for the server.
    act
        Runs an action in the background, like `Panel.act`.
    """

    def __init__(self, client: Client, act: Act) -> None:
        self.client = client
        self._act = act
        self.level = ipywidgets.Dropdown(options=[_NONE, *LEVELS], description="Parent", tooltip="What to attach it to")
        self.text = ipywidgets.Text(
            description="Search",
            placeholder="part of a name, ID, description …",
            continuous_update=False,
        )
        self.choice = ipywidgets.Select(
            options=[], description="Found", rows=6, layout={"width": "auto", "max_width": "800px"}
        )
        self.problem = Problem()
        self.level.observe(lambda change: self._ask(), "value")
        self.text.observe(lambda change: self._ask(), "value")
        super().__init__([row(self.level, self.text), self.choice, self.problem])
        self._draw()

    @property
    def value(self) -> str:
        """Orthanc identifier of the chosen parent, "" for none."""
        return "" if self.level.value == _NONE else str(self.choice.value or "")

    @property
    def is_missing(self) -> bool:
        """Whether a level is chosen, but no parent."""
        return self.level.value != _NONE and not self.value

    def _draw(self) -> None:
        display = "none" if self.level.value == _NONE else ""
        self.text.layout.display = self.choice.layout.display = display

    def _ask(self) -> None:
        self._draw()
        self.choice.options = []
        self.problem.say("")
        if self.level.value != _NONE:
            self._act("Searching", partial(self._search, self.level.value, self.text.value.strip()))

    def _search(self, level: str, text: str) -> str:
        found = find_parents(self.client, level, text, _MOST)
        if (level, text) != (self.level.value, self.text.value.strip()):
            return ""  # another search has started
        self.choice.options = found
        if len(found) == _MOST:
            return f"Only the first {_MOST} are shown: search for part of a name, ID or description."
        return "" if found else f"Nothing found for {text!r}." if text else "Nothing is stored yet."
