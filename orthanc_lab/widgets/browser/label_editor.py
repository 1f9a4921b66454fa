"""The labels of a resource: each can be removed, and others added."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from orthanc_lab.widgets.closing import close_whole

__all__ = ["LabelEditor"]

_MOST = 50  # buttons


class LabelEditor(ipywidgets.HBox):
    """A button for each label, which removes it, and a field for another one.

    Parameters
    ----------
    add, remove
        Called with a label.

    Examples
    --------
    >>> editor = LabelEditor(add=print, remove=print)
    >>> editor.show(["teaching"])
    >>> editor.children[0].description
    'teaching'
    >>> editor.children[0].click()
    teaching
    """

    def __init__(self, add: Callable[[str], object], remove: Callable[[str], object]) -> None:
        self._add = add
        self._remove = remove
        self.labels: list[str] = []
        self._buttons: list[ipywidgets.Button] = []
        self.entry = ipywidgets.Text(
            description="Add a label",
            placeholder="letters, digits, - and _",
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": "22em"},
        )
        super().__init__([self.entry], layout={"flex_flow": "row wrap", "align_items": "center", "display": "none"})
        self.entry.observe(lambda change: self._add_typed(), "value")

    def _add_typed(self) -> None:
        label = self.entry.value.strip()
        if label:
            self.entry.value = ""
            self._add(label)

    def show(self, labels: list[str] | None) -> None:
        """Show labels; None hides the editor, since nothing is picked."""
        self.layout.display = "none" if labels is None else None
        if labels == self.labels:
            return
        self.labels = list(labels or [])
        old, self._buttons = self._buttons, [self._button(label) for label in self.labels[:_MOST]]
        self.children = [*self._buttons, self.entry]
        for button in old:
            close_whole(button)

    def _button(self, label: str) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=label, icon="times", tooltip=f"Remove the label {label}", layout={"width": "auto"}
        )
        button.on_click(lambda _: self._remove(label))
        return button
