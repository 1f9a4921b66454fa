"""The buttons that check what the Browser shows in other panels of the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import ipywidgets

__all__ = ["UseButtons"]

_ICONS = {"Archive": "file-archive-o", "Modify": "pencil", "Network": "send"}


class UseButtons(ipywidgets.HBox):
    """A button for each panel in which a resource can be checked; none outside of a dashboard.

    Parameters
    ----------
    use
        Called with the title of a panel.

    Examples
    --------
    >>> buttons = UseButtons(print)
    >>> buttons.offer(["Archive"])
    >>> buttons.children[0].click()
    Archive
    """

    def __init__(self, use: Callable[[str], object]) -> None:
        self._use = use
        super().__init__(layout={"flex_flow": "row wrap", "display": "none"})

    def offer(self, titles: Iterable[str]) -> None:
        """Offer panels, by title."""
        self.children = [self._button(title) for title in titles]

    def _button(self, title: str) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=title,
            icon=_ICONS.get(title, "check-square-o"),
            tooltip=f"Check this in the panel {title}, and go there",
            layout={"width": "auto"},
        )
        button.on_click(lambda _: self._use(title))
        return button

    def show(self, visible: bool) -> None:
        """Show the buttons, or hide them while nothing is picked."""
        self.layout.display = None if visible and self.children else "none"
