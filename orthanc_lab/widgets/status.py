"""The line of a panel that says how things are: what is done, what went wrong, what to do next."""

from __future__ import annotations

from html import escape

import ipywidgets

__all__ = ["Status"]


class Status(ipywidgets.HTML):
    """One message; a screen reader reads it when it changes.

    Examples
    --------
    >>> status = Status()
    >>> status.warn("No Orthanc answers at http://localhost:8042")
    >>> status.text, status.is_warning
    ('No Orthanc answers at http://localhost:8042', True)
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.is_warning = False
        self.clear()

    def say(self, text: str) -> None:
        """Show a message."""
        self._show(text, False)

    def warn(self, text: str) -> None:
        """Show that something went wrong."""
        self._show(text, True)

    def clear(self) -> None:
        """Show nothing."""
        self._show("", False)

    def _show(self, text: str, is_warning: bool) -> None:
        self.text, self.is_warning = text, is_warning
        role, live = ("alert", "assertive") if is_warning else ("status", "polite")
        style = "white-space:pre-wrap;line-height:1.4;" + ("color:var(--jp-error-color1,#c0392b)" if is_warning else "")
        # Equal text is no change, and sends no message.
        self.value = f'<div role="{role}" aria-live="{live}" style="{style}">{escape(text)}</div>'
