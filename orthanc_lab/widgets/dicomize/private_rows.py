"""The fields for private tags, and the ``Dictionary`` that the server needs for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import ipywidgets

from orthanc_lab.widgets.closing import close_whole
from orthanc_lab.widgets.dicomize.dictionary_button import DictionaryButton
from orthanc_lab.widgets.dicomize.field import Field, row
from orthanc_lab.widgets.dicomize.private_tags import VRS, PrivateBlock, PrivateTag
from orthanc_lab.widgets.dicomize.values import example

__all__ = ["PrivateRow", "PrivateRows", "snippet_html"]

_WHAT = (
    "Add these lines to the server's configuration and restart it; otherwise it stores the tags as bytes of unknown "
    "type (VR UN):"
)

_AS_TAGS = {"description_width": "150px"}  # aligned with the fields above


def snippet_html(block: PrivateBlock) -> str:
    """Return the lines to paste into the configuration, with an explanation."""
    lines = f"<pre style='user-select:all;overflow-x:auto'>{escape(block.snippet())}</pre>"
    return f"<div style='line-height:1.4'>{_WHAT}</div>{lines}"


class PrivateRow(Field):
    """One private tag."""

    def __init__(self, element: str) -> None:
        self.element = ipywidgets.Text(
            value=element,
            description="Element",
            tooltip="The last two of the four hexadecimal digits; the first two are those of the creator's block",
            style=_AS_TAGS,
            layout={"width": "210px"},
        )
        self.vr = ipywidgets.Dropdown(options=VRS, value="LO", description="VR", layout={"width": "150px"})
        self.value = ipywidgets.Text(
            description="Value",
            continuous_update=False,
            layout={"flex": "1 1 260px", "max_width": "min(500px, 100% - 4px)"},
        )
        self.remove = ipywidgets.Button(icon="times", tooltip="Remove this tag", layout={"width": "36px"})
        self.vr.observe(lambda change: setattr(self.value, "placeholder", example(change["new"])), "value")
        super().__init__([self.element, self.vr, self.value, self.remove])


class PrivateRows(ipywidgets.VBox):
    """Private tags of one creator in one group.

    Parameters
    ----------
    changed
        Called after each change.
    button
        Adds the tags to the server's ``Dictionary``; None where that is not possible.

    Examples
    --------
    >>> private = PrivateRows()
    >>> private.creator.value = "My Company"
    >>> private.add_button.click()
    >>> private.rows[0].value.value = "a value"
    >>> private.block.tags()
    {'0405-0010': 'My Company', '0405-1001': 'a value'}
    >>> "PrivateCreatorForMyCompany" in private.snippet.value
    True
    """

    def __init__(self, changed: Callable[[], None] = lambda: None, button: DictionaryButton | None = None) -> None:
        self.rows: list[PrivateRow] = []
        self.button = button
        self._changed = changed
        self.creator = ipywidgets.Text(
            description="Creator",
            tooltip="The organization that defines these tags; the name reserves the block",
            continuous_update=False,
            style=_AS_TAGS,
            layout={"flex": "0 1 340px"},
        )
        self.group = ipywidgets.Text(
            value="0405", description="Group", tooltip="Four hexadecimal digits, odd", layout={"width": "160px"}
        )
        self.head = Field([self.creator, self.group])
        self.box = ipywidgets.VBox()
        self.add_button = ipywidgets.Button(description="Add a private tag", icon="plus", layout={"width": "auto"})
        self.snippet = ipywidgets.HTML()
        self.add_button.on_click(lambda _: self._add())
        for entry in (self.creator, self.group):
            entry.observe(lambda change: self.check(), "value")
        super().__init__([self.head, self.box, row(self.add_button), self.snippet, *([button] if button else [])])

    def _add(self) -> None:
        used = {made.element.value for made in self.rows}
        element = next((f"{number:02x}" for number in range(1, 256) if f"{number:02x}" not in used), "")
        made = PrivateRow(element)
        made.remove.on_click(lambda _: self._remove(made))
        for entry in (made.element, made.vr, made.value):
            entry.observe(lambda change: self.check(), "value")
        self.rows.append(made)
        self.box.children = list(self.rows)
        self.check()

    def _remove(self, made: PrivateRow) -> None:
        self.rows.remove(made)
        self.box.children = list(self.rows)
        close_whole(made)
        self.check()

    @property
    def block(self) -> PrivateBlock:
        """The private tags as entered."""
        rows = tuple(PrivateTag(made.element.value.strip(), made.vr.value, made.value.value) for made in self.rows)
        return PrivateBlock(self.creator.value.strip(), self.group.value.strip(), rows)

    def check(self) -> None:
        """Show problems, or the lines for the configuration if there are none."""
        block = self.block
        problems = block.problems()
        self.say(problems if block.creator or set(problems) != {"creator"} else {})  # many users enter it last
        self._show_snippet(block if block.rows and not problems else None)
        self._changed()

    def _show_snippet(self, block: PrivateBlock | None) -> None:
        if block is not None and self.button is not None and self.button.knows(block):
            block = None
        self.snippet.value = "" if block is None else snippet_html(block)
        if self.button is not None:
            self.button.offer(block)

    def focus(self, place: str) -> None:
        """Put the keyboard focus in a field: ``creator``, ``group``, or the number of a row."""
        if place.isdecimal():
            self.rows[int(place)].value.focus()
        else:
            (self.creator if place == "creator" else self.group).focus()

    def say(self, problems: Mapping[str, str]) -> None:
        """Show problems, by field as in `PrivateBlock.problems`."""
        words = [f"{name.capitalize()} {problems[name]}" for name in ("creator", "group") if name in problems]
        self.head.problem.say("; ".join(words))
        for number, made in enumerate(self.rows):
            made.problem.say(problems.get(str(number), ""))
