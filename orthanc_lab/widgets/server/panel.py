"""Controlling a server that this program started: its state, start, stop, restart, kill, configuration, log."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from html import escape
from typing import Any, Self

import ipywidgets

import orthanc_lab
from orthanc_lab.client import Client, ClientError, UnauthorizedError
from orthanc_lab.client.display import amount, counted
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.widgets.code.spoken import named
from orthanc_lab.widgets.controlled_server import ControlledServer, Killable, error_text
from orthanc_lab.widgets.elements.log_view import LogView
from orthanc_lab.widgets.elements.toolbar import Tool, Toolbar
from orthanc_lab.widgets.folds import Folds
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.server.hidden_secrets import hide_secrets
from orthanc_lab.widgets.server.options import OptionsEditor, OptionsTable

__all__ = ["ServerPanel"]

_TOOLS = (
    Tool("start", "Start", "play", "Start the server with the same port and folder"),
    Tool("stop", "Stop", "stop", "Finish the requests in progress, then stop; the files are kept"),
    Tool("restart", "Restart", "repeat", "Stop the server and start it again"),
    Tool("kill", "Kill", "bolt", "Kill the process, like kill -9"),
)
_KILL = "Kill the process, like kill -9? Nothing that was acknowledged is lost."
_DOING = {"start": "Starting", "stop": "Stopping", "restart": "Restarting", "kill": "Killing"}
_DONE = {
    "start": "The server has started.",
    "stop": "The server has stopped.",
    "restart": "The server has restarted.",
    "kill": "The process was killed.",
}
_STATES = {  # of each state: icon, tone, words
    "running": ("check", "good", "Running"),
    "stopped": ("stop", "waiting", "Stopped"),
    "killed": ("bolt", "bad", "Killed"),
    "away": ("times", "bad", "Does not answer"),
    "closed": ("lock", "bad", "Refuses the credentials"),
}


class ServerPanel(Panel):
    """Start, stop, restart and kill a server started by this program; see its state, configuration and log.

    The port stays the same, so that other panels find the server again on their own.

    Parameters
    ----------
    server
        A server returned by `orthanc_lab.serve`; it can be killed if it was started with ``process=True``. If neither
        `server` nor `client` is given, the panel starts a server.
    client
        A client for the server. Without `server`, the server was started elsewhere: the panel shows its state, but
        cannot control it.
    **options
        See `Panel`.

    Attributes
    ----------
    server
        The server; None if it was started elsewhere.
    state
        ``"running"``, ``"stopped"``, ``"away"`` (it does not answer) or ``"closed"`` (it refuses the credentials).
    toolbar
        The controls.
    editor, options_table, log_view
        The configuration, all options, the end of the log; None if the server was started elsewhere.

    Examples
    --------
    >>> panel = ServerPanel(server)
    >>> panel.control("stop").result()
    >>> panel.state, sorted(panel.toolbar.offers)
    ('stopped', ['start'])
    >>> panel.control("start").result()
    >>> panel.state, sorted(panel.toolbar.offers)
    ('running', ['restart', 'stop'])
    """

    title = "Server"

    def __init__(self, server: ControlledServer | None = None, *, client: Client | None = None, **options: Any) -> None:
        self._own = None
        if server is not None and not hasattr(server, "restart"):
            needed = "a server that orthanc_lab.serve() returned, or client=orthanc_lab.Client(url)"
            raise TypeError(f"ServerPanel needs {needed}, not {type(server).__name__}")
        if server is None and client is None:
            server = self._own = orthanc_lab.serve(process=True)
        self.server = server
        super().__init__(client or Client.from_server(_given(server)), **options)
        self.state = "away"
        self._system: dict[str, Any] = {}
        self._counts: dict[str, Any] = {}
        self._is_acting = False
        self._was_killed = False
        self._facts = ipywidgets.HTML()
        self.toolbar = Toolbar(_TOOLS, label="Controls of the server", on_press=self.control)
        self.editor: OptionsEditor | None = None
        self.log_view: LogView | None = None
        self.options_table: OptionsTable | None = None
        self.body.children = [self._facts, *self._controls()]
        self.refresh()

    def _controls(self) -> list[Any]:
        if self.server is None:
            words = "This server was not started by this program, so it cannot be controlled from here."
            return [ipywidgets.HTML(f"<p>{words}</p>")]
        self.editor = OptionsEditor(self.server, self._restart_with)
        self.options_table = OptionsTable(self.server)
        self.log_view = LogView(label="Log of the server")
        parts = [self.log_view, self.editor, self.options_table]
        folds = Folds(parts, ["Log", "Configuration", "All options"], 0)
        return [self.toolbar, folds]

    @classmethod
    def in_dashboard(cls, client: Client, server: ControlledServer | None, **options: Any) -> Self:  # noqa: D102 - see Panel
        return cls(server, client=client, **options)

    # -- state ------------------------------------------------------------------------

    def poll(self) -> None:  # noqa: D102 - see Panel
        if self.server is not None and not self.server.is_running:
            self._show("stopped")
            return
        try:
            self._system, self._counts = self.poll_client.system, self.poll_client.statistics
        except ClientError as error:
            self._show("closed" if isinstance(error, UnauthorizedError) else "away")
            raise
        self._show("running")

    def _show(self, state: str) -> None:
        self.state = state
        if self.log_view is not None and self.server is not None:
            self.log_view.lines = self.server.tail()
        if not self._is_acting:
            self.toolbar.offers = self._offers()
            if self.editor is not None:
                self.editor.follow()
        self._facts.value = f'<div class="orthanc-lab">{self._facts_html()}</div>'

    def _offers(self) -> dict[str, str]:
        if self.server is None:
            return {}
        if not self.server.is_running:
            return {"start": ""}
        can_kill = {"kill": _KILL} if isinstance(self.server, Killable) else {}
        return {"stop": "", "restart": "", **can_kill}

    def _facts_html(self) -> str:
        icon, tone, words = _STATES["killed" if self.state == "stopped" and self._was_killed else self.state]
        url = escape(self.client.url, quote=True)
        link = f'<a href="{url}/app/explorer.html" target="_blank" rel="noopener">{url}</a>'
        head = f'<strong><i class="fa fa-{icon} orthanc-{tone}" aria-hidden="true"></i> {words}</strong> at {link}'
        facts = []
        if self.state == "running":
            system, counts = self._system, self._counts
            name = f" “{system['Name']}”" if system.get("Name") else ""
            facts.append(f"Orthanc {system.get('Version', '')}{name}")
            studies = counted(counts.get("CountStudies", 0), "study", "studies")
            facts.append(f"{studies}, {counted(counts.get('CountInstances', 0), 'instance', 'instances')}")
            facts.append(amount(int(counts.get("TotalDiskSize", 0))))
            with suppress(AttributeError, RuntimeError):  # it runs in this process, or was killed just now
                facts.append(f"process {self.server.pid}")  # type: ignore[union-attr]
        return f"<div>{head}</div><div>{escape(' · '.join(facts))}&nbsp;</div>"

    # -- actions ----------------------------------------------------------------------

    def control(self, control: str) -> Future[None]:
        """``start``, ``stop``, ``restart`` or ``kill`` the server, in the background.

        Raises
        ------
        ValueError
            If it was started elsewhere, or has no process of its own to kill.
        """
        server = self.server
        if server is None:
            raise ValueError("This server was not started by this program")
        coded = self.code.spoken(server, "server")
        actions: dict[str, Callable[[], None]] = {
            "start": coded.restart,
            "stop": coded.halt,
            "restart": coded.restart,
        }
        if isinstance(server, Killable):
            actions["kill"] = self.code.spoken(server, "server").kill
        if control not in actions:
            raise ValueError(f"Cannot {control} this server; only a server started with process=True can be killed")
        return self._do(control, f"{_DOING[control]} the server", actions[control])

    def _restart_with(self, options: dict[str, Any]) -> Future[None]:
        coded = self.code.spoken(_given(self.server), "server")
        shown = named(options, repr(hide_secrets(options)))
        return self._do("restart", "Restarting the server with these options", lambda: coded.restart(shown))

    def _do(self, control: str, doing: str, action: Callable[[], None]) -> Future[None]:
        self._is_acting = True
        self.toolbar.offers = {}
        return self.act(doing, lambda: self._done(control, action))

    def _done(self, control: str, action: Callable[[], None]) -> str:
        try:
            action()
        except OrthancError as error:
            raise ValueError(error_text(error)) from error
        finally:
            self._is_acting = False
        if self.options_table is not None and self.editor is not None:
            self.options_table.refresh()
        self._was_killed = control == "kill"
        return self._moved() or _DONE[control]

    def _moved(self) -> str:
        if self.server is None or self.server.url == self.client.url:
            return ""
        return f"The server is now at {self.server.url}: make new clients and panels for that address."

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        return super().snapshot() + self._facts_html()

    def close(self) -> None:
        """Remove the panel from the notebook; a server that it started itself is stopped."""
        super().close()
        if self._own is not None:
            self._own.stop()


def _given(server: ControlledServer | None) -> ControlledServer:
    assert server is not None
    return server
