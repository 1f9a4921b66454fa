"""Parts of a panel that are opened by a button; the headings of ipywidgets' Accordion cannot be reached by keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets
import traitlets

__all__ = ["Folds"]


class Folds(ipywidgets.VBox):
    """Parts with a heading each, of which at most one is open.

    Attributes
    ----------
    selected_index
        The part that is open, None if all are closed.

    Examples
    --------
    >>> folds = Folds([ipywidgets.Label("one"), ipywidgets.Label("two")], ["First", "Second"])
    >>> folds.buttons[1].value = True
    >>> folds.selected_index, folds.parts[0].layout.display, folds.parts[1].layout.display
    (1, 'none', None)
    """

    selected_index = traitlets.Int(None, allow_none=True)

    def __init__(self, parts: Sequence[Any], titles: Sequence[str], selected_index: int | None = None) -> None:
        self.parts = [ipywidgets.Box([part], layout={"margin": "4px 0 8px"}) for part in parts]
        self.buttons = [ipywidgets.ToggleButton(description=title, layout={"width": "auto"}) for title in titles]
        for box in self.parts:
            box.children[0].layout.flex = "1 1 auto"
            box.children[0].layout.min_width = "0"
        for number, button in enumerate(self.buttons):
            button.add_class("orthanc-fold")
            button.observe(partial(self._follow, number), "value")
        super().__init__([each for pair in zip(self.buttons, self.parts, strict=True) for each in pair])
        self.selected_index = selected_index
        self._draw()

    def _follow(self, number: int, change: dict[str, Any]) -> None:
        if change["new"]:
            self.selected_index = number
        elif self.selected_index == number:
            self.selected_index = None

    @traitlets.observe("selected_index")
    def _draw(self, change: object = None) -> None:
        for number, (button, part) in enumerate(zip(self.buttons, self.parts, strict=True)):
            is_open = number == self.selected_index
            button.value = is_open
            button.icon = "caret-down" if is_open else "caret-right"
            button.tooltip = "Open; press to close it" if is_open else "Closed; press to open it"
            part.layout.display = None if is_open else "none"
