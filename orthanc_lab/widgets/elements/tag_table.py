"""A table of tags whose sequences open and close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from orthanc_lab.widgets.browser.tag_rows import TagRow
from orthanc_lab.widgets.elements.element import Element

__all__ = ["TagTable"]

_MOST = 2000  # rows that are drawn at once


class TagTable(Element, script="tag_table"):
    """Tags by name, number, VR and value; long values are shortened, and sent whole when a person asks.

    Parameters
    ----------
    whole
        Returns the whole value of a row; it says itself what goes wrong, and returns None then.

    Attributes
    ----------
    rows
        What is drawn, set by `show`.
    is_open
        Whether all sequences are open at first.

    Examples
    --------
    >>> table = TagTable(lambda row: row.value)
    >>> table.show([TagRow("0010,0010", "PatientName", "0010,0010", "PN", "Doe^John")])
    >>> table.rows[0]["value"]
    'Doe^John'
    """

    label = traitlets.Unicode("Tags").tag(sync=True)
    empty = traitlets.Unicode("Nothing is picked").tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    is_open = traitlets.Bool(False).tag(sync=True)

    def __init__(self, whole: Callable[[TagRow], str | None], **traits: Any) -> None:
        self._whole = whole
        self._shown: dict[str, TagRow] = {}
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def show(self, rows: Sequence[TagRow], *, is_open: bool = False) -> None:
        """Draw other rows; of very many only the first."""
        drawn = rows[:_MOST]
        more = len(rows) - len(drawn)
        self._shown = {row.path: row for row in drawn}
        with self.hold_sync():
            self.is_open = is_open
            self.rows = [row.plain() for row in drawn]
            self.note = f"… and {more:,} more: search for what you want to see" if more else ""

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        row = self._shown.get(content["path"])
        text = None if row is None else self._whole(row)
        if text is not None:
            self.send({"path": content["path"], "text": text})
