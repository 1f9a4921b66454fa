"""A tree whose branches are loaded when opened, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Literal, Protocol

import traitlets

from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.selection import Selection

__all__ = ["Branches", "Node", "Tree"]

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Node:
    """One line of a tree."""

    id: str
    label: str
    note: str = ""  # shown after the label in a muted colour
    parent: str = ""  # id of its parent, even where that is not shown
    is_leaf: bool = False


class Branches(Protocol):
    """The source of a tree's lines."""

    def children(self, id: str) -> Iterator[Node]:
        """Return what is below an id, or the roots for ""; lazily, so that a page costs only a page."""
        ...


@dataclass(slots=True)
class _Level:
    nodes: list[Node] = field(default_factory=list)
    rest: Iterator[Node] = field(default_factory=lambda: iter(()))
    has_more: bool = False

    def take(self, count: int) -> list[Node]:
        """Move `count` nodes from the rest to the nodes, and return them; one further node is fetched."""
        taken = list(islice(self.rest, count))
        self.nodes += taken
        following = next(self.rest, None)
        self.has_more = following is not None
        if following is not None:
            self.rest = _joined(following, self.rest)
        return taken


def _joined(first: Node, rest: Iterator[Node]) -> Iterator[Node]:
    yield first
    yield from rest


class Tree(Element, script="tree"):
    """A tree in which the user picks one line, or checks several.

    The browser is sent one message for each level that is opened, and one for each further page.

    Parameters
    ----------
    branches
        The source of its lines.
    label
        Its name for screen readers.
    guard
        Called with an action that may fail and a description of it; runs the action and reports errors.

    Attributes
    ----------
    mode
        ``"pick"`` one (`current`), or ``"check"`` many (`checked`).
    opened
        Ids of the expanded lines.
    current
        Id of the picked line, "" for none.
    checked
        Checked ids; each covers everything below it. Changed by `toggle`.
    mixed
        Ids above a checked one.

    Examples
    --------
    >>> class Numbers:
    ...     def children(self, id):
    ...         return (Node(f"{id}{digit}", f"{id}{digit}", parent=id) for digit in "0123456789")
    >>> tree = Tree(Numbers(), label="Numbers", mode="check")
    >>> tree.opened = ["4"]
    >>> [node.label for node in tree.level("4")[:3]]
    ['40', '41', '42']
    >>> tree.toggle("42")
    >>> tree.checked, tree.mixed
    (['42'], ['4'])
    """

    label = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode("Nothing here yet").tag(sync=True)
    mode = traitlets.Enum(("pick", "check"), "pick").tag(sync=True)
    opened = traitlets.List(traitlets.Unicode()).tag(sync=True)
    current = traitlets.Unicode().tag(sync=True)
    checked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    mixed = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        branches: Branches,
        *,
        label: str,
        mode: Literal["pick", "check"] = "pick",
        guard: Callable[[Callable[[], None], str], object] = lambda action, doing: action(),
        page: int = _PAGE,
        **traits: Any,
    ) -> None:
        self.selection = Selection()
        self._branches = branches
        self._guard = guard
        self._page = page
        self._levels: dict[str, _Level] = {}
        self._has_listener = False
        super().__init__(label=label, mode=mode, **traits)
        self.on_msg(self._on_message)
        self.show(branches)

    def show(self, branches: Branches) -> None:
        """Replace the branches, keeping what is checked or picked; an error is raised and changes nothing."""
        roots = self._page_of(branches, "")
        self._branches = branches
        self._levels = {"": roots}
        self.opened = []
        self._post({"kind": "clear"})
        self._tell([""])

    def level(self, id: str = "") -> list[Node]:
        """Return the loaded lines below an id, or the loaded roots."""
        level = self._levels.get(id)
        return list(level.nodes) if level else []

    def has_more(self, id: str = "") -> bool:
        """Whether there are more lines below an id than were loaded."""
        return id in self._levels and self._levels[id].has_more

    def node(self, id: str) -> Node | None:
        """Return a loaded line."""
        return next((node for level in self._levels.values() for node in level.nodes if node.id == id), None)

    def _page_of(self, branches: Branches, id: str, count: int = 0) -> _Level:
        level = _Level(rest=branches.children(id))
        self._learn(level.take(max(count, self._page)))
        return level

    def _load(self, id: str, count: int = 0) -> None:
        level = self._page_of(self._branches, id, count)
        old = self._levels.get(id)
        self._levels[id] = level
        if old is None or (old.nodes, old.has_more) != (level.nodes, level.has_more):
            self._tell([id])

    def more(self, id: str) -> None:
        """Load more below an id, as many as there are already, so that the end of a long list is soon reached."""
        level = self._levels[id]
        taken = level.take(max(self._page, len(level.nodes)))
        self._learn(taken)
        self._post({"kind": "more", "parent": id, "nodes": _plain(taken), "more": level.has_more})

    def _learn(self, nodes: list[Node]) -> None:
        self.selection.learn({node.id: node.parent for node in nodes})

    @traitlets.observe("opened")
    def _load_opened(self, change: dict[str, Any]) -> None:
        for id in change["new"]:
            if id not in self._levels:
                self._guard(partial(self._load, id), "Opening")
                if id not in self._levels:
                    self.opened = [other for other in self.opened if other != id]

    def reload(self) -> None:
        """Reload all expanded levels; only those that differ are sent. Collapsed ones are dropped."""
        shown = ["", *(id for id in self._levels if id in self.opened)]
        levels, self._levels = self._levels, {id: self._levels[id] for id in shown if id in self._levels}
        for id in levels.keys() - self._levels.keys():
            self._post({"kind": "forget", "parent": id})
        for id in shown:
            if id == "" or any(node.id == id for level in self._levels.values() for node in level.nodes):
                self._load(id, len(self.level(id)))
            else:
                self._forget(id)

    def _forget(self, id: str) -> None:
        self._levels.pop(id, None)
        self.opened = [other for other in self.opened if other != id]

    def remove(self, ids: set[str]) -> None:
        """Remove deleted lines, with everything below them."""
        for parent, level in list(self._levels.items()):
            kept = [node for node in level.nodes if node.id not in ids]
            if len(kept) != len(level.nodes):
                level.nodes = kept
                self._tell([parent])
        for id in ids:
            self._forget(id)
        if self.current in ids:
            self.current = ""
        self.selection.drop(ids)
        self._show_selection()

    def toggle(self, id: str) -> None:
        """Check or uncheck a line."""
        self._guard(lambda: self.selection.toggle(id, self._below, self._complete), "Checking")
        self._show_selection()

    def adopt(self, selection: Selection) -> None:
        """Check the same as in another tree of the same server."""
        self.selection.adopt(selection)
        self._show_selection()

    def check(self, id: str) -> None:
        """Check a line, unless it is checked or covered already."""
        if self.selection.state(id) != "true":
            self.toggle(id)

    def clear(self) -> None:
        """Uncheck everything."""
        self.selection.clear()
        self._show_selection()

    def _show_selection(self) -> None:
        with self.hold_sync():
            self.checked = list(self.selection.checked)
            self.mixed = self.selection.mixed

    def _below(self, id: str) -> list[str]:
        known = self._complete(id)
        return [node.id for node in self._branches.children(id)] if known is None else known

    def _complete(self, id: str) -> list[str] | None:
        level = self._levels.get(id)
        return None if level is None or level.has_more else [node.id for node in level.nodes]

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        if content["kind"] == "hello":
            self._has_listener = True
            self._tell(list(self._levels))
        elif content["kind"] == "more" and self.has_more(content["id"]):
            self._guard(lambda: self.more(content["id"]), "Listing")
        elif content["kind"] == "toggle":
            self.toggle(content["id"])

    def _tell(self, ids: list[str]) -> None:
        levels = [
            {"parent": id, "nodes": _plain(self._levels[id].nodes), "more": self._levels[id].has_more} for id in ids
        ]
        self._post({"kind": "levels", "levels": levels})

    def _post(self, message: dict[str, Any]) -> None:
        if self._has_listener:
            self.send(message)


def _plain(nodes: list[Node]) -> list[dict[str, Any]]:
    return [asdict(node) for node in nodes]
