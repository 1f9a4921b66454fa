"""The configuration of a server: an editor for the given options, and a table of all options with their meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.widgets.controlled_server import ControlledServer, error_text
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.server.hidden_secrets import hide_secrets, restore_secrets

__all__ = ["OptionsEditor", "OptionsTable"]


class OptionsEditor(ipywidgets.VBox):
    """The options as JSON; the server checks them before it is restarted with them.

    Passwords are shown as ``***``, since a notebook may be saved with what its widgets show; where that is left, they
    stay as they are.

    Parameters
    ----------
    server
        The server.
    restart
        Called with the options to restart with.

    Examples
    --------
    >>> editor = OptionsEditor(server, restart=print)
    >>> editor.text.value = '{"JobsHistorySize": -1}'
    >>> editor.apply()
    >>> print(editor.words)
    Parameter out of range: The configuration option "JobsHistorySize" must be a positive integer (Orthanc error 3)
    >>> editor.text.value = '{"JobsHistorySize": 50}'
    >>> editor.apply()
    {'JobsHistorySize': 50}
    """

    def __init__(self, server: ControlledServer, restart: Callable[[dict[str, Any]], object]) -> None:
        self._server = server
        self._restart = restart
        self.text = ipywidgets.Textarea(
            description="Given options (JSON, as in Orthanc's configuration file)",
            layout={"width": "auto", "height": "16em", "flex_flow": "column", "align_items": "stretch"},
            style={"description_width": "auto"},
        )
        self.text.add_class("orthanc-code")
        self.words = ""
        self._outcome = ipywidgets.HTML()
        buttons = (
            _button("Check", "check", "Check the options without restarting the server", self.check),
            _button("Apply and restart", "repeat", "Restart the server with these options", self.apply),
            _button("Undo", "undo", "Go back to the options in force", self.reset),
        )
        self.check_button, self.apply_button, self.reset_button = buttons
        row = ipywidgets.HBox(buttons, layout={"flex_flow": "row wrap"})
        super().__init__([self.text, row, self._outcome])
        self.reset()

    def reset(self) -> None:
        """Go back to the options in force."""
        self._written = self.text.value = _as_text(self._server.options)
        self._say("", False)

    def follow(self) -> None:
        """Show the options in force, if they were changed elsewhere and nothing was typed here."""
        in_force = _as_text(self._server.options)
        if self.text.value == self._written != in_force:
            self.reset()
        elif self.text.value == in_force:
            self._written = in_force

    def check(self) -> dict[str, Any] | None:
        """Check the text, show the outcome, and return the options; None if they are refused."""
        try:
            options = json.loads(self.text.value)
            if not isinstance(options, dict):
                raise ValueError("A configuration must be a JSON object: { … }")
            options = restore_secrets(options, self._server.options)
            warnings = self._server.check(options)
        except json.JSONDecodeError as error:
            self._say(f"This is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}.", True)
        except OrthancError as error:
            self._say(error_text(error), True)
        except (ValueError, TypeError) as error:
            self._say(str(error), True)
        else:
            self._say("\n".join(["These options are valid.", *warnings]), False)
            return options
        return None

    def apply(self) -> None:
        """Restart the server with the edited options, unless they are refused."""
        options = self.check()
        if options is not None:
            self._restart(options)
            self.text.value = _as_text(options)

    def _say(self, words: str, is_error: bool) -> None:
        self.words = words
        kind = 'role="alert" class="orthanc-error"' if is_error else 'role="status" style="white-space:pre-wrap"'
        self._outcome.value = f'<div class="orthanc-lab"><div {kind}>{escape(words)}</div></div>'


def _as_text(options: dict[str, Any]) -> str:
    return json.dumps(hide_secrets(options), indent=3)


def _button(label: str, icon: str, tooltip: str, action: Callable[[], object]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, icon=icon, tooltip=tooltip, layout={"width": "auto"})
    button.on_click(lambda _: action())
    return button


class OptionsTable(ipywidgets.VBox):
    """A searchable table of all options with the values in force and their meaning; passwords are not shown.

    Examples
    --------
    >>> table = OptionsTable(server)
    >>> table.search.value = "history"
    >>> table.table.rows[0]["id"], table.table.rows[0]["value"]
    ('JobsHistorySize', '10')
    """

    def __init__(self, server: ControlledServer) -> None:
        self._server = server
        columns = (
            Column("id", "Option"),
            Column("value", "Value", "words"),
            Column("given", "Given"),
            Column("meaning", "Meaning", "words"),
        )
        self.table = Table(columns, label="All options", empty="No matching options")
        self.search = ipywidgets.Text(description="Search", placeholder="name or meaning")
        self.search.observe(lambda change: self.refresh(), "value")
        super().__init__([self.search, self.table])
        self.refresh()

    def refresh(self) -> None:
        """Show the options in force now."""
        given, settings = self._server.options, self._server.settings
        shown = hide_secrets({name: settings[name] for name in OPTIONS})
        words = self.search.value.lower().split()
        self.table.rows = [
            {
                "id": option.name,
                "value": json.dumps(shown[name]),
                "given": "yes" if name in given else "",
                "meaning": option.meaning if option.honoured else f"(no effect yet) {option.meaning}",
            }
            for name, option in OPTIONS.items()
            if all(word in f"{name} {option.meaning}".lower() for word in words)
        ]
