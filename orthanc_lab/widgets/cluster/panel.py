"""Servers that share a list of jobs: their leases, what each runs, and who took over from whom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, NotFoundError, UnreachableError
from orthanc_lab.client.cluster import Cluster
from orthanc_lab.client.display import table as html_table
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.widgets.cluster.handles import Handle
from orthanc_lab.widgets.cluster.rows import (
    RUNNING_COLUMNS,
    SERVER_COLUMNS,
    SERVER_TOOLS,
    TAKE_OVER_COLUMNS,
    facts,
    running_row,
    server_rows,
    take_over_row,
)
from orthanc_lab.widgets.controlled_server import ControlledServer, Killable, error_text
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.elements.toolbar import Toolbar
from orthanc_lab.widgets.panel import Panel

__all__ = ["ClusterPanel"]

_MOST_JOBS = 20  # that run: each is a request
_NOBODY = Cluster((), (), 0, {})
_KILL = "Kill {}, like kill -9? Nothing that was acknowledged is lost, and its jobs go on at another server."


class ClusterPanel(Panel):
    """The servers that share a list of jobs: what is left of each lease, what each runs, who took over from whom.

    Parameters
    ----------
    client
        A client for one of the servers. If it does not answer, one of `servers` is asked.
    servers
        Servers of the cluster that this program started, by ``serve(process=True)``: select some, then kill them, or
        start them again.
    **options
        See `Panel`.

    Attributes
    ----------
    table
        The servers; ``table.selected`` holds the names of the selected ones.
    running
        The jobs that run, with their servers.
    take_overs
        The last jobs that went on at another server, the latest first.
    toolbar
        Kills and starts the selected servers.

    Examples
    --------
    >>> panel = ClusterPanel(client)
    >>> panel.table.rows[0]["state"], panel.facts
    ('On its own', '1 server · 0 jobs run · 0 jobs wait for a worker · it shares its jobs with no other server')
    """

    title = "Cluster"

    def __init__(self, client: Client, servers: Sequence[ControlledServer] = (), **options: Any) -> None:
        super().__init__(client, **options)
        self.handles = tuple(Handle(server, f"servers[{number}]") for number, server in enumerate(servers))
        self.facts = ""
        self._words = ipywidgets.HTML()
        self.toolbar = Toolbar(SERVER_TOOLS, label="What to do with the selected servers", on_press=self.control)
        self.table = Table(SERVER_COLUMNS, label="Servers")
        self.running = Table(RUNNING_COLUMNS, label="Jobs that run", empty="No job runs")
        self.take_overs = Table(TAKE_OVER_COLUMNS, label="Take-overs", empty="No job was taken over")
        self.table.observe(lambda change: self._offer(), "selected")
        self.body.children = [
            self._words,
            *([self.toolbar] if self.handles else []),
            self.table,
            ipywidgets.HTML("<strong>Jobs that run</strong>"),
            self.running,
            ipywidgets.HTML("<strong>Take-overs</strong>"),
            self.take_overs,
        ]
        self.refresh()

    def poll(self) -> None:  # noqa: D102 - see Panel
        for handle in self.handles:
            handle.introduce()
        try:
            client, cluster = self._ask()
        except UnreachableError:
            self._show_servers(_NOBODY)  # whom this program started, and who is gone
            raise
        self.facts = facts(cluster)
        self._words.value = f'<div class="orthanc-lab">{escape(self.facts)}</div>'
        self._show_servers(cluster)
        self.running.rows = self._running_rows(client, cluster)
        self.take_overs.rows = [take_over_row(taken) for taken in reversed(cluster.take_overs)]

    def _show_servers(self, cluster: Cluster) -> None:
        self.table.rows = server_rows(cluster, self.handles)
        self._offer()

    def _ask(self) -> tuple[Client, Cluster]:
        """Return what the server says, or another one in its place."""
        try:
            return self.poll_client, self.poll_client.cluster()
        except UnreachableError:
            for handle in self.handles:
                if handle.server.is_running:
                    try:
                        return handle.client, handle.cluster()
                    except UnreachableError:
                        continue
            raise

    def _running_rows(self, client: Client, cluster: Cluster) -> list[dict[str, Any]]:
        pairs = [(job, server.name) for server in cluster.servers for job in server.running]
        rows = []
        for id, name in pairs[:_MOST_JOBS]:
            try:
                rows.append(running_row(client.jobs[id], name))
            except (KeyError, NotFoundError):  # it has ended, and dropped out of a short history
                continue
        self.running.note = f"{_MOST_JOBS} of {len(pairs):,} jobs" if len(pairs) > _MOST_JOBS else ""
        return rows

    # -- killing and starting ---------------------------------------------------------

    def _selected(self) -> list[Handle]:
        selected = set(self.table.selected)
        return [handle for handle in self.handles if handle.name in selected]

    def _offer(self) -> None:
        chosen = self._selected()
        offers = {}
        alive = [handle for handle in chosen if handle.server.is_running and isinstance(handle.server, Killable)]
        if alive:
            offers["kill"] = _KILL.format(", ".join(handle.name for handle in alive))
        if any(not handle.server.is_running for handle in chosen):
            offers["start"] = ""
        self.toolbar.offers = offers

    def control(self, control: str) -> Any:
        """``kill`` the selected servers that run, or ``start`` those that do not.

        Returns
        -------
        Future
            Done once the outcome is shown.
        """
        handles = [handle for handle in self._selected() if handle.server.is_running == (control == "kill")]
        names = ", ".join(handle.name for handle in handles)
        doing = f"Killing {names}" if control == "kill" else f"Starting {names}"
        return self.act(doing, partial(self._kill if control == "kill" else self._start, handles, names))

    def _kill(self, handles: list[Handle], names: str) -> str:
        for handle in handles:
            if isinstance(handle.server, Killable):
                self.code.spoken(handle.server, handle.text).kill()
        return f"Killed: {names}. Jobs that ran there go on at another server as soon as the lease has ended."

    def _start(self, handles: list[Handle], names: str) -> str:
        for handle in handles:
            try:
                self.code.spoken(handle.server, handle.text).restart()
            except OrthancError as error:
                raise ValueError(error_text(error)) from error
        return f"Started again: {names}."

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        tables = ((SERVER_COLUMNS, self.table), (RUNNING_COLUMNS, self.running), (TAKE_OVER_COLUMNS, self.take_overs))
        return super().snapshot() + f"<p>{escape(self.facts)}</p>" + "".join(_html(*pair) for pair in tables)

    def close(self) -> None:
        """Stop polling, and remove the panel from the notebook; the servers go on."""
        super().close()
        for handle in self.handles:
            handle.client.close()


def _html(columns: Sequence[Column], table: Table) -> str:
    if not table.rows:
        return ""
    return html_table(
        [column.head for column in columns], [[row[column.key] for column in columns] for row in table.rows]
    )
