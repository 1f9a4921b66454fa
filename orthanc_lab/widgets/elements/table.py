"""A table that is shown anew by one message, however many rows it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import traitlets

from orthanc_lab.widgets.elements.element import Element

__all__ = ["Column", "Table", "Tone"]

Tone = Literal["good", "bad", "busy", "waiting", "plain"]
"""The colour of an icon; it never says more than icon and text do."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a `Table`.

    Examples
    --------
    >>> Column("state", "State", "badge", {"Running": ("play", "busy")}).kind
    'badge'
    """

    key: str  # of the row's dictionary
    head: str
    # text: cut at the end; words: in several lines; progress: percent, drawn as a bar; time: ISO 8601, UTC;
    # span: seconds; badge: text with an icon before it
    kind: Literal["text", "words", "number", "progress", "time", "span", "badge"] = "text"
    badges: Mapping[str, tuple[str, Tone]] = field(
        default_factory=dict
    )  # of each text of a badge: icon of Font Awesome 4, tone


class Table(Element, script="table"):
    """Rows of a table; a person sorts them by a click on a head, and selects some with mouse or keyboard.

    Parameters
    ----------
    columns
        Its columns; a row has at least their keys, and ``id``, which names it.
    label
        What a screen reader calls it.

    Attributes
    ----------
    rows
        The rows shown; set it to show others. An equal list sends nothing.
    selected
        Ids of the selected rows; those that vanish are selected no more.
    note
        A line below the table.
    empty
        What stands there when it has no rows.

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
        super().__init__(columns=[asdict(column) for column in columns], label=label, **traits)

    @traitlets.observe("rows")
    def _keep_selected(self, change: dict[str, Any]) -> None:
        here = {row["id"] for row in change["new"]}
        kept = [id for id in self.selected if id in here]
        if kept != self.selected:
            self.selected = kept
