"""Faults on demand: what can go wrong with a server, switched on and off while clients use it."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import ipywidgets

from orthanc_lab.client import Client
from orthanc_lab.client.display import table as html_table
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.elements.toolbar import Toolbar
from orthanc_lab.widgets.faults.fault_rows import FAULT_COLUMNS, FAULT_TOOLS, fault_row
from orthanc_lab.widgets.faults.switchable import KindOfFault, SwitchableFaults
from orthanc_lab.widgets.faults.trigger_form import TriggerForm
from orthanc_lab.widgets.panel import Panel

__all__ = ["FaultsPanel"]


class FaultsPanel(Panel):
    """The faults of a server that was made with them: what each does, how often it happened, what a good client does.

    Parameters
    ----------
    client
        A client for the server.
    faults
        What the server was made with: ``orthanc_lab.serve(faults=faults)``.
    **options
        See `Panel`.

    Attributes
    ----------
    table
        All faults.
    form
        When the next one that is switched on happens.
    toolbar
        Switches the selected faults.

    Examples
    --------
    >>> panel = FaultsPanel(client, faults)
    >>> panel.table.selected = ["503 without Retry-After"]
    >>> panel.switch("on").result()
    >>> client.system["ApiVersion"]  # three requests were refused, and sent again
    27
    >>> panel.refresh()
    >>> next((row["state"], row["happened"]) for row in panel.table.rows if row["name"] == "503 without Retry-After")
    ('over', 3)
    >>> panel.switch("off").result()
    """

    title = "Faults"

    def __init__(self, client: Client, faults: SwitchableFaults, **options: Any) -> None:
        super().__init__(client, **options)
        self.faults = faults
        self.table = Table(FAULT_COLUMNS, label="Faults")
        self.form = TriggerForm()
        self.toolbar = Toolbar(FAULT_TOOLS, label="Switch the selected faults", on_press=self.switch)
        self._advice = ipywidgets.HTML()
        self.table.observe(lambda change: self._select(), "selected")
        self.body.children = [self.toolbar, self.form, self._advice, self.table]
        self._select()
        self.refresh()

    def poll(self) -> None:  # noqa: D102 - see Panel
        in_force = tuple(self.faults.in_force)
        self.table.rows = [fault_row(kind, in_force) for kind in self.faults.kinds.values()]
        self._offer()

    def _chosen(self) -> list[KindOfFault]:
        return [self.faults.kinds[name] for name in self.table.selected]

    def _select(self) -> None:
        chosen = self._chosen()
        self.form.fit(chosen)
        lines = (f"<li><b>{escape(kind.name)}</b>: {escape(kind.good_client)}</li>" for kind in chosen)
        self._advice.value = f"<p>What a good client does:</p><ul>{''.join(lines)}</ul>" if chosen else ""
        self._offer()

    def _offer(self) -> None:
        offers = {"on": ""} if self.table.selected else {}
        if self.faults.in_force:
            offers["off"] = ""
        self.toolbar.offers = offers

    def switch(self, key: str) -> Any:
        """Switch the selected faults ``on`` or ``off``; without a selection all of them off.

        Returns
        -------
        Future
            Done once the outcome is shown.
        """
        names = list(self.table.selected)
        return self.act("Switching", partial(self._on if key == "on" else self._off, names))

    def _on(self, names: list[str]) -> str:
        options, coded = self.form.options, self._coded()
        for name in names:
            coded.on(name, **options)
        return f"Switched on: {', '.join(names)}."

    def _coded(self) -> SwitchableFaults:
        return self.code.spoken(self.faults, "faults")

    def _off(self, names: list[str]) -> str:
        coded = self._coded()
        if not names:
            coded.off()
            return "All faults are switched off."
        for name in names:
            coded.off(name)
        return f"Switched off: {', '.join(names)}."

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        heads = tuple(column.head for column in FAULT_COLUMNS)
        keys = [column.key for column in FAULT_COLUMNS]
        return super().snapshot() + html_table(heads, [[row[key] for key in keys] for row in self.table.rows])
