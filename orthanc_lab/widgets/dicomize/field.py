"""A field of the form: its widgets, with any problem shown below them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

__all__ = ["Field", "Problem", "row"]


class Problem(ipywidgets.HTML):
    """A problem with a field; screen readers announce it when it appears.

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
        """Show a problem, or nothing for ""."""
        self.text = text
        style = "color:var(--jp-error-color1,#c0392b);line-height:1.4;white-space:normal;padding-left:min(154px,20%)"
        self.value = f'<div role="alert" style="{style}">{escape(text)}</div>'
        self.layout.display = "" if text else "none"


class Field(ipywidgets.VBox):
    """Widgets in a row that wraps if there is little space, with their problem below."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self.problem = Problem()
        super().__init__([row(*parts), self.problem])


def row(*parts: Any, **layout: str) -> ipywidgets.Box:
    """Return widgets side by side, on several lines if there is little space."""
    return ipywidgets.Box(list(parts), layout={"flex_flow": "row wrap", "align_items": "center", **layout})
