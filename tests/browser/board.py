"""The dashboard in a notebook, as a person uses it: tabs, buttons, tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.browser.notebook_page import NotebookPage

__all__ = ["CELL", "Board"]

CELL = """\
import orthanc_lab
from orthanc_lab.widgets import dashboard

server = orthanc_lab.open_server(shared=True)
board = dashboard(orthanc_lab.Client.from_server(server))
board"""


class Board:
    """The dashboard of a notebook that has run.

    Parameters
    ----------
    pictures
        Folder where `picture` keeps what is seen.
    """

    def __init__(self, book: NotebookPage, pictures: Path) -> None:
        self.book = book
        self.page = book.page
        self._pictures = pictures
        self.area = book.area.locator(".widget-tab")
        self.area.first.wait_for()

    def tab(self, title: str) -> Any:
        """Choose a tab; returns its panel."""
        self.area.get_by_role("tab", name=title, exact=True).click()
        panel = self.area.locator(".widget-tab-contents > :not(.lm-mod-hidden)")
        panel.first.wait_for()
        return panel.first

    def faults(self) -> list[str]:
        """Return what went wrong in the part of the panels that runs in the browser."""
        found: list[str] = self.area.get_by_text("javascript error").all_inner_texts()
        return found + self.book.errors

    def picture(self, name: str) -> None:
        self.area.first.screenshot(path=self._pictures / f"{name}.png")


def press(panel: Any, name: str) -> None:
    """Press a button of a panel, once it can be pressed."""
    panel.locator("button:not(.orthanc-fold)", has_text=re.compile(rf"^\s*{re.escape(name)}\s*$")).click()


def unfold(panel: Any, title: str) -> None:
    """Open a part of a panel."""
    panel.locator("button.orthanc-fold", has_text=title).click()


def fill(panel: Any, label: str, text: str) -> None:
    """Type into a field of a panel.

    ipywidgets draws a field that has just come a second time, within milliseconds, and what a machine has typed in
    between is gone: then it is typed again.
    """
    field = panel.get_by_label(label, exact=True)
    for _ in range(3):
        field.fill(text)
        field.press("Tab")
        if field.input_value() == text:
            return
    raise AssertionError(f"the field {label} does not keep what is typed")


def says(panel: Any, words: str) -> None:
    """Wait until a panel says something, anywhere."""
    panel.get_by_text(words).locator("visible=true").first.wait_for()
