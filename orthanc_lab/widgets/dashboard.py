"""All panels in tabs; only the visible tab polls the server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, ClientError, Resource
from orthanc_lab.widgets.archives.panel import ArchivePanel
from orthanc_lab.widgets.browser.panel import BrowserPanel
from orthanc_lab.widgets.closing import all_below
from orthanc_lab.widgets.cluster.panel import ClusterPanel
from orthanc_lab.widgets.controlled_server import ControlledServer
from orthanc_lab.widgets.dicomize.panel import DicomizePanel
from orthanc_lab.widgets.faults.panel import FaultsPanel
from orthanc_lab.widgets.faults.switchable import SwitchableFaults
from orthanc_lab.widgets.jobs.panel import JobsPanel
from orthanc_lab.widgets.metrics.panel import MetricsPanel
from orthanc_lab.widgets.modify.panel import ModifyPanel
from orthanc_lab.widgets.network.panel import NetworkPanel
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.resources_panel import ResourcesPanel
from orthanc_lab.widgets.server.panel import ServerPanel
from orthanc_lab.widgets.show_button import ShowButton
from orthanc_lab.widgets.timeline.panel import TimelinePanel
from orthanc_lab.widgets.upload.panel import UploadPanel

__all__ = ["Dashboard", "dashboard"]

_PANELS: tuple[type[Panel], ...] = (
    BrowserPanel,
    ArchivePanel,
    ModifyPanel,
    UploadPanel,
    DicomizePanel,
    JobsPanel,
    NetworkPanel,
    MetricsPanel,
    TimelinePanel,
    ServerPanel,
)

_PATIENCE = 5.0  # seconds


class Dashboard(ipywidgets.VBox):
    """Panels in tabs, of which only the visible one polls the server; made by `dashboard`.

    What is checked in one panel is checked in the others, too; the Browser shows what the others have made.

    Attributes
    ----------
    panels
        The panels, in the order of their tabs.
    tabs
        The tabs; ``tabs.selected_index`` is the visible one.

    Raises
    ------
    TypeError
        For what is no panel.

    Examples
    --------
    >>> board = Dashboard([JobsPanel(client)])
    >>> board["Jobs"].table.rows
    []
    >>> board.close()
    """

    def __init__(self, panels: Sequence[Panel]) -> None:
        for panel in panels if isinstance(panels, Sequence) and panels else [panels]:
            if not isinstance(panel, Panel):
                words = f"A Dashboard needs panels, such as JobsPanel(client), not {type(panel).__name__}"
                raise TypeError(f"{words}; dashboard(client) has them all")
        self.panels = tuple(panels)
        titles = [panel.title for panel in self.panels]
        self.tabs = ipywidgets.Tab(self.panels, titles=titles, selected_index=0)
        super().__init__([self.tabs])
        self.add_class("orthanc-dashboard")
        self.tabs.observe(lambda change: self._show(), "selected_index")
        self._checked = next((panel for panel in self._checking()), None)  # the last one in front
        self._connect()
        self._show()

    def _checking(self) -> list[ResourcesPanel]:
        """Return the panels in which resources are checked: all have the same ones, as soon as they are in front."""
        return [panel for panel in self.panels if isinstance(panel, ResourcesPanel) and panel.mode == "check"]

    def _connect(self) -> None:
        browser = next((panel for panel in self.panels if isinstance(panel, BrowserPanel)), None)
        if browser is None:
            return
        browser.connect({panel.title: partial(self._use, panel) for panel in self._checking()})
        for widget in all_below(self.tabs):
            if isinstance(widget, ShowButton):
                widget.connect(partial(self._browse, browser))

    def _use(self, panel: ResourcesPanel, resource: Resource) -> None:
        self.tabs.selected_index = self.panels.index(panel)
        panel.check(resource)

    def _browse(self, browser: BrowserPanel, resource: Resource) -> None:
        browser.show_resource(resource)
        self.tabs.selected_index = self.panels.index(browser)

    def __getitem__(self, title: str) -> Panel:
        for panel in self.panels:
            if panel.title == title:
                return panel
        raise KeyError(f"There is no tab {title!r}; there are: {', '.join(panel.title for panel in self.panels)}")

    def _show(self) -> None:
        for number, panel in enumerate(self.panels):
            panel.is_in_front = number == self.tabs.selected_index
            if panel.is_in_front and isinstance(panel, ResourcesPanel) and panel in self._checking():
                if self._checked is not None and panel is not self._checked:
                    panel.adopt(self._checked)
                self._checked = panel

    def snapshot(self) -> str:
        """Return all panels as HTML, for places that cannot show widgets."""
        return "".join(f"<section>{panel.snapshot()}</section>" for panel in self.panels)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str] | None:
        bundle: dict[str, str] | None = super()._repr_mimebundle_(**options)
        return bundle and {**bundle, "text/html": self.snapshot(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Dashboard: {', '.join(panel.title for panel in self.panels)}>"

    def close(self) -> None:
        """Close all panels and remove them from the notebook."""
        if hasattr(self, "tabs"):  # else it was refused, and ipywidgets closes what is left of it
            for panel in self.panels:
                panel.close()
            self.tabs.close()
        super().close()


def dashboard(
    client: Client,
    server: ControlledServer | None = None,
    *,
    faults: SwitchableFaults | None = None,
    servers: Sequence[ControlledServer] = (),
    **options: Any,
) -> Dashboard:
    """Return all panels for a server in tabs.

    Parameters
    ----------
    client
        A client for the server to show.
    server
        The server itself, if this program started it: the panel Server can then start, stop and kill it.
    faults
        What the server was made with, ``serve(faults=faults)``: they get a panel, too.
    servers
        The servers that share the list of jobs, if this program started them: the panel Cluster can then kill them and
        start them again. It is there whenever several servers share the list.
    **options
        Options for every panel, such as ``interval``.

    Examples
    --------
    >>> dashboard(client)
    <Dashboard: Browser...>
    """
    panels = [panel.in_dashboard(client, server, **options) for panel in _PANELS]
    if servers or _is_one_of_several(client):
        panels.append(ClusterPanel(client, servers, **options))
    if faults is not None:
        panels.append(FaultsPanel(client, faults, **options))
    return Dashboard(panels)


def _is_one_of_several(client: Client) -> bool:
    try:
        return len(client.without_retries(_PATIENCE).cluster().servers) > 1
    except ClientError:  # it cannot tell, or does not answer now
        return False
