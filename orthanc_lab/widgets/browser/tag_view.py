"""The tags of what is picked: search, the difference to another instance, copies as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets

from orthanc_lab.client import Client, Instance
from orthanc_lab.widgets.browser.tag_rows import matching
from orthanc_lab.widgets.browser.tag_texts import as_json, as_pydicom
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.elements.tag_row import TagRow
from orthanc_lab.widgets.elements.tag_table import TagTable
from orthanc_lab.widgets.tag_differences import columns, differences

__all__ = ["TagView"]

_COPIES: dict[str, Callable[[Sequence[TagRow]], str]] = {"pydicom": as_pydicom, "JSON": as_json}


class TagView(ipywidgets.VBox):
    """The table of tags, with what can be done with it.

    Parameters
    ----------
    client
        Fetches long values.
    guard
        Runs an action that may fail, and reports errors.

    Attributes
    ----------
    search
        The field that searches the tags.
    table
        The tags.
    compare
        While it is on, only what differs from the instance shown when it was pressed is listed, in `differences`.
    differences
        The table of what differs.
    """

    def __init__(self, client: Client, guard: Callable[[Callable[[], None], str], object]) -> None:
        self._client = client
        self._guard = guard
        self.instance: Instance | None = None
        self._rows: list[TagRow] = []
        self._kept: list[TagRow] = []  # to compare with
        self.search = ipywidgets.Text(
            placeholder="Search the tags", tooltip="Words in the name, number or value", layout={"flex": "1 1 200px"}
        )
        self.compare = ipywidgets.ToggleButton(
            description="Compare",
            icon="exchange",
            tooltip="Keep these tags, and list what differs in the instance that is selected next",
            disabled=True,
            layout={"width": "auto"},
        )
        self.table = TagTable(self._whole, copies=list(_COPIES), copy=self._copy)
        self.differences = Table(
            columns("Kept", "Selected"), label="What differs", empty="Nothing differs: select another instance"
        )
        self.differences.layout.display = "none"
        line = ipywidgets.HBox([self.search, self.compare], layout={"flex_flow": "row wrap"})
        super().__init__([line, self.table, self.differences])
        self.search.observe(lambda change: self._draw(), "value")
        self.compare.observe(lambda change: self._keep(), "value")

    def show(self, instance: Instance | None, rows: list[TagRow]) -> None:
        """Show the tags of an instance, or the main tags of what contains instances."""
        self.instance, self._rows = instance, rows
        self.compare.disabled = not rows and not self.compare.value
        self._draw()

    def _keep(self) -> None:
        self._kept = self._rows if self.compare.value else []
        self._draw()

    def _draw(self) -> None:
        words = self.search.value.strip()
        rows = matching(self._rows, words) if words else self._rows
        is_comparing = self.compare.value
        self.table.layout.display = "none" if is_comparing else None
        self.differences.layout.display = None if is_comparing else "none"
        if is_comparing:
            kept = matching(self._kept, words) if words else self._kept
            self.differences.rows = [one.row() for one in differences(kept, rows)]
        self.table.empty = "No matching tags" if words and self._rows else "Nothing selected"
        self.table.show(rows, is_open=bool(words))

    def _copy(self, name: str) -> str:
        return _COPIES[name](self._rows)

    def _whole(self, row: TagRow) -> str | None:
        if not row.is_away or self.instance is None:
            return row.value
        path = f"{self.instance.path}/content/{row.path.replace(',', '-')}"
        found: list[bytes] = []
        self._guard(lambda: found.append(self._client.transport.send("GET", path).content), "Reading the tag")
        return found[0].decode("utf-8", "replace").rstrip("\0 ") if found else None
