"""A field of the form: its widget, and what is wrong with it beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

__all__ = ["Field", "Problem", "row"]


class Problem(ipywidgets.HTML):
    """What is wrong with a field; a screen reader reads it when it comes.

    Examples
    --------
    >>> words = Problem()
    >>> words.say("is missing")
    >>> words.text
    'is missing'
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.say("")

    def say(self, text: str) -> None:
        """Show what is wrong, "" for nothing."""
        self.text = text
        style = "color:var(--jp-error-color1,#c0392b);line-height:1.4;white-space:normal;padding-left:min(154px,20%)"
        self.value = f'<div role="alert" style="{style}">{escape(text)}</div>'
        self.layout.display = "" if text else "none"


class Field(ipywidgets.VBox):
    """Widgets in a row that wraps where there is little room, with their problem below."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.problem = Problem()
        super().__init__([row(*parts), self.problem])


def row(*parts: Any, **layout: str) -> ipywidgets.Box:
    """Return widgets side by side, in more lines where there is little room."""
    return ipywidgets.Box(list(parts), layout={"flex_flow": "row wrap", "align_items": "center", **layout})
