"""The base class of the panels with a tree of patients: search, and a tree that follows the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal

import ipywidgets

from orthanc_lab.client import Client, ClientError, NotFoundError, Resource
from orthanc_lab.client.display import plain
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.code.code_log import CodeLog
from orthanc_lab.widgets.elements.tree import Node, Tree
from orthanc_lab.widgets.latest import Latest
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.resource_branches import ResourceBranches, lineage
from orthanc_lab.widgets.search_words import FIELDS, queries
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["ResourcesPanel"]

_CUT = "Only some of the names with other accents were looked through: type more of the name, or its accents."
_COUNTS = ("CountPatients", "CountStudies", "CountSeries", "CountInstances")


class _Nothing:
    def children(self, id: str) -> Iterator[Node]:
        return iter(())


class ResourcesPanel(Panel):
    """A tree of the stored resources, with a search box; subclasses use what is picked or checked.

    Polling fetches the last change and the counts; the opened levels are read again only if these have changed.

    Attributes
    ----------
    looks
        What was looked at last, as Python and as curl.
    search, field
        The search text, and where to search; results appear while the user types (`wait_until_found`).
    tree
        Patients, their studies, and so on.
    count
        How many patients there are, or how many results the search has.
    """

    mode: ClassVar[Literal["pick", "check"]] = "pick"
    lowest: ClassVar[Level] = Level.SERIES

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self.looks = CodeLog(self.poll_client)
        self._seen: object = None
        self._searches = Latest()
        self._search_queue: SerialQueue[object] = SerialQueue()
        self._is_found = False  # whether the tree shows the result of the latest search
        self.branches = ResourceBranches(self.poll_client, queries(""), self.lowest)
        self.search = ipywidgets.Text(
            placeholder="Search: name, ID, UID …",
            tooltip="Part of a name, ID, accession number, description or date; a pattern with * and ?; a whole UID",
            layout=ipywidgets.Layout(flex="1 1 12em", width="auto"),
        )
        self.field = ipywidgets.Dropdown(
            options=FIELDS, tooltip="Where to search", layout=ipywidgets.Layout(flex="0 1 11em", width="auto")
        )
        self.tree = Tree(_Nothing(), label="Patients", mode=self.mode, guard=self.guard)
        self.count = ipywidgets.Label()
        self._patients = 0
        for box in (self.search, self.field):
            box.observe(lambda change: self._begin_search(), "value")

    def search_and_tree(self) -> ipywidgets.VBox:
        """Return a box with the search and the tree."""
        line = ipywidgets.HBox([self.search, self.field], layout=ipywidgets.Layout(flex_flow="row wrap"))
        return ipywidgets.VBox([line, self.tree, self.count])

    def guard(self, action: Callable[[], None], doing: str) -> bool:
        """Run an action at once for a user who is waiting for it; errors are reported.

        Returns
        -------
        bool
            Whether it succeeded.
        """
        with self._turn:
            is_done = self.attempt(action, doing)
            if is_done and self.branches.is_cut:
                self.status.say(_CUT)
            self._show_count()
            return is_done

    def attempt(self, action: Callable[[], None], doing: str) -> bool:
        """Do the same without blocking polls: for slow actions, in a thread."""
        try:
            action()
        except NotFoundError:
            self._seen = None
            self.status.warn(f"{doing}: this has since been deleted on the server.")
            self.refresh()
        except (ClientError, ValueError) as error:
            self.status.warn(f"{doing}: {error}")
        else:
            return True
        return False

    def _begin_search(self) -> None:
        """Search while the user types: of several texts that wait, only the last is sought."""
        number = self._searches.begin()
        self._search_queue.submit(lambda: self._searches.is_latest(number) and self.guard(self._search, "Searching"))

    def wait_until_found(self) -> None:
        """Wait until the tree shows the results for the text in the search box."""
        self._search_queue.submit(lambda: None).result()

    def _search(self) -> None:
        self.branches = self.branches.searching(queries(self.search.value, self.field.value))
        self._is_found = False
        self._find()
        self.status.clear()

    def _find(self) -> None:
        with self.coding(self.looks), self.branches.asking(self.looks.client):
            self.tree.show(self.branches)
        self._is_found = True
        self.tree.empty = "Nothing matches" if self.search.value.strip() else "No patients yet"

    def _show_count(self) -> None:
        """Say how many patients there are, or how many results a search has."""
        if not self.search.value.strip():
            self.count.value = f"{self._patients:,} {'patient' if self._patients == 1 else 'patients'}"
        else:
            found = f"{len(self.tree.level()):,} found"
            self.count.value = f"More than {found}" if self.tree.has_more() else found

    def poll(self) -> None:  # noqa: D102 - see Panel
        counts = self.poll_client.statistics
        self._patients = counts["CountPatients"]
        self._show_count()
        last = self.poll_client.transport.get("/changes?last")["Last"]
        state = (last, *(counts[name] for name in _COUNTS))
        if state == self._seen and self._is_found:
            return
        if not self._is_found:
            self._find()
        else:
            try:
                self.tree.reload()
            except NotFoundError:
                self._seen = None  # deleted between two levels: the next poll starts from the roots
                return
        gone = self._gone()
        if gone:
            self.forget(gone)
        self._seen = state
        self.changed(gone)

    def forget(self, gone: set[str]) -> None:
        """Remove deleted resources from the tree, and report it."""
        words = ", ".join(sorted(self.branches.name(id) or id for id in gone))
        self.tree.remove(gone)
        self.tell(f"Deleted on the server in the meantime: {words}", is_warning=True)

    def adopt(self, other: ResourcesPanel) -> None:
        """Check the same as in another panel."""
        self.branches.adopt(other.branches)
        self.tree.adopt(other.tree.selection)

    def check(self, resource: Resource) -> None:
        """Check a resource of the server, wherever it is in the tree."""
        line = lineage(resource)[: self.lowest.depth + 1]
        self.learn(line)
        self.tree.check(line[-1].id)

    def learn(self, line: Sequence[Resource]) -> None:
        """Know a patient, one of its studies, and so on, wherever they are in the tree."""
        self.branches.learn(line)
        ids = [one.id for one in line]
        self.tree.selection.learn(dict(zip(ids, ["", *ids], strict=False)))

    def changed(self, gone: set[str]) -> None:
        """Follow a change on the server; `gone` holds checked or picked resources that were deleted."""

    def _watched(self) -> list[str]:
        return [*self.tree.checked, *([self.tree.current] if self.tree.current else [])]

    def _gone(self) -> set[str]:
        watched = self._watched()
        if not watched:
            return set()
        body = {"Resources": watched, "Metadata": False}
        found = self.poll_client.transport.json("POST", "/tools/bulk-content", json=body, again=True)
        return set(watched) - {item["ID"] for item in found}

    def close(self) -> None:  # noqa: D102 - see Panel
        self._search_queue.close()
        super().close()

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        lines = "".join(f"<li>{plain(node.label)} <small>{plain(node.note)}</small></li>" for node in self.tree.level())
        return f"{super().snapshot()}<ul>{lines}</ul>"
