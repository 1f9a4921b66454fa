"""A table that is updated by a single message, however many rows it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import traitlets

from orthanc_lab.protocol.arguments import items_of
from orthanc_lab.widgets.elements.element import Element

__all__ = ["Column", "Table", "Tone"]

Tone = Literal["good", "bad", "busy", "waiting", "plain"]
"""The colour of an icon; it never conveys more than the icon and the text do."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a `Table`.

    Examples
    --------
    >>> Column("state", "State", "badge", {"Running": ("play", "busy")}).kind
    'badge'
    """

    key: str  # in the dictionary of a row
    head: str
    # text: truncated at the end; words: wrapped; progress: percentage, drawn as a bar; time: ISO 8601, UTC;
    # span: seconds; badge: text preceded by an icon
    kind: Literal["text", "words", "number", "progress", "time", "span", "badge"] = "text"
    badges: Mapping[str, tuple[str, Tone]] = field(
        default_factory=dict
    )  # Font Awesome 4 icon and tone for each text of a badge


class Table(Element, script="table"):
    """A table; the user sorts it by clicking a heading, and selects rows with the mouse or the keyboard.

    Parameters
    ----------
    columns
        Its columns; each row has at least their keys, and a unique ``id``.
    label
        Its name for screen readers.

    Attributes
    ----------
    rows
        The rows shown; assign to replace them. Assigning an equal list sends nothing.
    selected
        Ids of the selected rows; rows that disappear are deselected.
    note
        A line below the table.
    empty
        The text shown if there are no rows.

    Examples
    --------
    >>> table = Table([Column("name", "Name"), Column("done", "Done", "progress")], label="Work")
    >>> table.rows = [{"id": "a", "name": "One", "done": 40}]
    >>> table.selected = ["a"]
    >>> table.rows = []
    >>> table.selected
    []
    """

    columns: Any = traitlets.List().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode("Nothing here yet").tag(sync=True)

    def __init__(self, columns: Sequence[Column], *, label: str, **traits: Any) -> None:
        checked = items_of(columns, Column, "columns, such as Column('name', 'Name')")
        super().__init__(columns=[asdict(column) for column in checked], label=label, **traits)

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns, without rows at first."""
        self.rows = []
        self.columns = [asdict(column) for column in columns]

    @traitlets.observe("rows")
    def _keep_selected(self, change: dict[str, Any]) -> None:
        here = {row["id"] for row in change["new"]}
        kept = [id for id in self.selected if id in here]
        if kept != self.selected:
            self.selected = kept
