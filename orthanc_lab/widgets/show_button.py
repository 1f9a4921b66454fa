"""A button that shows a resource in another panel of the same dashboard."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from orthanc_lab.client import NotFoundError, Resource

__all__ = ["ShowButton"]


class ShowButton(ipywidgets.Button):
    """Shows what a panel has made in the Browser; hidden outside of a dashboard, and while there is nothing to show.

    Parameters
    ----------
    act
        `Panel.act` of its panel.

    Examples
    --------
    >>> from orthanc_lab.widgets import JobsPanel
    >>> button = ShowButton(JobsPanel(client).act)
    >>> button.connect(print)
    >>> button.offer(lambda: client.studies.find()[0])
    >>> button.press().result()
    <Study a6fcb5a3: Patient Phantom^CT, ...>
    """

    def __init__(self, act: Callable[[str, Callable[[], str | None]], object]) -> None:
        super().__init__(description="Show", icon="search", tooltip="Show it in the Browser", layout={"width": "auto"})
        self._act = act
        self._show: Callable[[Resource], object] | None = None
        self._find: Callable[[], Resource] | None = None
        self.on_click(lambda _: self.press())
        self._draw()

    def connect(self, show: Callable[[Resource], object]) -> None:
        """Use a function that shows a resource."""
        self._show = show
        self._draw()

    def offer(self, find: Callable[[], Resource] | None) -> None:
        """Offer to show what `find` returns when the button is pressed; None for nothing."""
        self._find = find
        self._draw()

    def _draw(self) -> None:
        self.layout.display = None if self._show and self._find else "none"

    def press(self) -> object:
        """Show it, in the background."""
        return self._act("Showing", self._show_found)

    def _show_found(self) -> None:
        if self._show is None or self._find is None:
            return
        try:
            self._show(self._find())
        except NotFoundError:
            raise ValueError("it has since been deleted on the server.") from None
