"""A table of tags with collapsible sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.elements.tag_row import TagRow

__all__ = ["TagTable"]

_MOST = 2000  # rows drawn at once


class TagTable(Element, script="tag_table"):
    """Tags with name, number, VR and value; long values are shortened, and sent in full on request.

    Parameters
    ----------
    whole
        Returns the full value of a row; on failure it reports the error itself and returns None.
    copy
        Returns what a button of `copies` copies.

    Attributes
    ----------
    rows
        The rows shown, set by `show`.
    copies
        A button for each of these names copies the tags as text.
    is_open
        Whether all sequences are expanded at first.

    Examples
    --------
    >>> table = TagTable(lambda row: row.value)
    >>> table.show([TagRow("0010,0010", "PatientName", "0010,0010", "PN", "Doe^John")])
    >>> table.rows[0]["value"]
    'Doe^John'
    """

    label = traitlets.Unicode("Tags").tag(sync=True)
    empty = traitlets.Unicode("Nothing selected").tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    copies = traitlets.List(traitlets.Unicode()).tag(sync=True)
    is_open = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self, whole: Callable[[TagRow], str | None], *, copy: Callable[[str], str] = lambda name: "", **traits: Any
    ) -> None:
        self._whole = whole
        self._copy = copy
        self._shown: dict[str, TagRow] = {}
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def show(self, rows: Sequence[TagRow], *, is_open: bool = False) -> None:
        """Replace the rows; of a very long list, only the first are drawn."""
        drawn = rows[:_MOST]
        more = len(rows) - len(drawn)
        self._shown = {row.path: row for row in drawn}
        with self.hold_sync():
            self.is_open = is_open
            self.rows = [row.plain() for row in drawn]
            self.note = f"… and {more:,} more; use the search to find them" if more else ""

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("copy") in self.copies:
            self.send({"copy": content["copy"], "text": self._copy(content["copy"])})
            return
        row = self._shown.get(content.get("path", ""))
        text = None if row is None else self._whole(row)
        if text is not None:
            self.send({"path": content["path"], "text": text})
