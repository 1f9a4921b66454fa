"""DICOM nodes: whether they answer, what they hold, what is fetched from them and sent to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import Answer, Client, ClientError, Job, Query
from orthanc_lab.client.display import table as html_table
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.elements.toolbar import Tool, Toolbar
from orthanc_lab.widgets.folds import Folds
from orthanc_lab.widgets.jobs.job_rows import COLUMNS, TOOLS, allowed, offers
from orthanc_lab.widgets.network.answer_rows import ASKED, answer_columns, answer_row
from orthanc_lab.widgets.network.node_form import NodeForm
from orthanc_lab.widgets.network.node_rows import NODE_COLUMNS, Light, light_of, node_row
from orthanc_lab.widgets.network.query_form import QueryForm, offer_names
from orthanc_lab.widgets.network.transfer_rows import TRANSFERS, transfer_row
from orthanc_lab.widgets.resources_panel import ResourcesPanel

__all__ = ["NetworkPanel"]

_MOST_JOBS = 20
_ECHO_SECONDS = 5
_NODE_TOOLS = (
    Tool("echo", "Echo", "heartbeat", "Check whether the selected nodes answer, or all if none is selected"),
    Tool("remove", "Remove", "trash", "Have the server forget the selected nodes"),
)
_ANSWER_TOOLS = (
    Tool("retrieve", "Retrieve", "download", "Fetch the selected answers to this server, or all if none is selected"),
    Tool("below", "Show below", "level-down", "Ask for the series of the selected study, and so on"),
)
_METHODS = [("as configured", None), ("C-MOVE", "C-MOVE"), ("C-GET", "C-GET")]


class NetworkPanel(ResourcesPanel):
    """The DICOM nodes that a server knows: echo, query, retrieve, send; the transfers are jobs, shown with progress.

    Attributes
    ----------
    nodes, answers, jobs
        The tables.
    node_form, query_form
        The forms.
    query
        The last query, None at first.
    target
        The node that is sent to.

    Examples
    --------
    >>> panel = NetworkPanel(client)
    >>> form = panel.node_form
    >>> form.name.value, form.aet.value, form.host.value, form.port.value = "pacs", "ARCHIVE", "127.0.0.1", 1
    >>> panel.add().result()
    >>> [(node["name"], node["light"]) for node in panel.nodes.rows]
    [('pacs', 'fails')]
    """

    title = "Network"
    mode = "check"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self.query: Query | None = None
        self._query_level = Level.STUDY
        self._configurations: dict[str, dict[str, Any]] = {}
        self._lights: dict[str, Light] = {}
        self._jobs: dict[str, Job] = {}
        self.nodes = Table(NODE_COLUMNS, label="DICOM nodes", empty="No nodes yet: add one below")
        self.node_tools = Toolbar(_NODE_TOOLS, label="What to do with the nodes", on_press=self._press_node)
        self.node_form = NodeForm(self.add)
        self.query_form = QueryForm(self.ask)
        self.answers = Table(answer_columns(Level.STUDY), label="Answers", empty="No query yet")
        self.answer_tools = Toolbar(_ANSWER_TOOLS, label="What to do with the answers", on_press=self._press_answer)
        self.method = ipywidgets.Dropdown(
            options=_METHODS, description="by", style={"description_width": "initial"}, layout={"width": "11em"}
        )
        self.target = ipywidgets.Dropdown(
            description="to", style={"description_width": "initial"}, layout={"width": "14em"}
        )
        self.send_button = ipywidgets.Button(
            description="Send", icon="send", tooltip="Send what is checked, in a job", layout={"width": "auto"}
        )
        self.send_button.on_click(lambda _: self.send_checked())
        self.jobs = Table(COLUMNS, label="Transfers", empty="No transfers yet")
        self.job_tools = Toolbar(TOOLS, label="What to do with the selected transfers", on_press=self.control)
        self._lay_out()
        for table in (self.nodes, self.answers, self.jobs):
            table.observe(lambda change: self._offer(), "selected")
        for observed, trait in ((self.tree, "checked"), (self.target, "value"), (self.query_form.node, "value")):
            observed.observe(lambda change: self._offer(), trait)
        self.refresh()

    def _lay_out(self) -> None:
        retrieve = _line([self.answer_tools, self.method])
        send = _line([self.send_button, self.target])
        folds = Folds(
            [
                ipywidgets.VBox([self.query_form, retrieve, self.answers]),
                ipywidgets.VBox([self.search_and_tree(), send]),
                self.node_form,
            ],
            ["Query and retrieve", "Send", "Add a node"],
            0,
        )
        transfers = _line([ipywidgets.HTML("<b>Transfers</b>"), self.job_tools])
        self.body.children = [_line([self.node_tools]), self.nodes, folds, transfers, self.jobs]

    # -- what is shown --------------------------------------------------------------

    def poll(self) -> None:  # noqa: D102 - see Panel
        super().poll()
        self._configurations = self.poll_client.modalities.configurations()
        self._show_nodes()
        found = [job for job in self.poll_client.jobs.list() if job.type in TRANSFERS][:_MOST_JOBS]
        self._jobs = {job.id: job for job in found}
        now = self.clock.now()
        self.jobs.rows = [transfer_row(job, now) for job in found]
        self._offer()

    def _show_nodes(self) -> None:
        names = list(self._configurations)
        self.nodes.rows = [
            node_row(name, options, self._lights.get(name, Light())) for name, options in self._configurations.items()
        ]
        offer_names(self.query_form.node, names)
        offer_names(self.target, names)

    def _offer(self) -> None:
        here = not self.is_away
        nodes = {"echo": ""} if here and self.nodes.rows else {}
        if here and self.nodes.selected:
            nodes["remove"] = f"Have the server forget {', '.join(self.nodes.selected)}?"
        self.node_tools.offers = nodes
        answers = {"retrieve": ""} if here and self.answers.rows else {}
        if here and len(self.answers.selected) == 1 and self._query_level in (Level.PATIENT, Level.STUDY, Level.SERIES):
            answers["below"] = ""
        self.answer_tools.offers = answers
        self.job_tools.offers = offers(self._selected_jobs()) if here else {}
        self.query_form.button.disabled = not (here and self.query_form.node.value)
        self.send_button.disabled = not (here and self.target.value and self.tree.checked)

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        self._offer()

    # -- nodes ----------------------------------------------------------------------

    def _press_node(self, key: str) -> Any:
        return self.echo() if key == "echo" else self.remove()

    def echo(self) -> Any:
        """Send an echo to the selected nodes, or to all if none is selected.

        Returns
        -------
        Future
            Done once the outcome is shown.
        """
        names = list(self.nodes.selected) or list(self._configurations)
        return self.act("Asking whether the nodes answer", partial(self._echo, names))

    def _echo(self, names: Sequence[str]) -> str:
        for name in names:
            self._light(name, Light("asking"))
            error = None
            try:
                self.code.client.modalities[name].echo(timeout=_ECHO_SECONDS)
            except KeyError:
                continue  # removed in the meantime
            except ClientError as failure:
                error = failure
            self._light(name, light_of(error, self.clock.now()))
        failed = [name for name in names if self._lights.get(name, Light()).state == "fails"]
        return f"No answer from {', '.join(failed)}: the table says why." if failed else "All nodes answer."

    def _light(self, name: str, light: Light) -> None:
        with self._turn:
            self._lights[name] = light
            self._show_nodes()

    def remove(self) -> Any:
        """Have the server forget the selected nodes."""
        return self.act("Removing", partial(self._remove, list(self.nodes.selected)))

    def _remove(self, names: Sequence[str]) -> str:
        for name in names:
            self.code.client.modalities[name].remove()
            self._lights.pop(name, None)
        return f"Removed {', '.join(names)}."

    def add(self) -> Any:
        """Add the node of the form, and send it an echo."""
        return self.act("Adding the node", self._add)

    def _add(self) -> str:
        options = self.node_form.options
        name = self.node_form.name.value.strip()
        self.code.client.modalities.add(name, **options)
        self._configurations = self.client.modalities.configurations()
        return f"Added {name}. {self._echo([name])}"

    # -- query and retrieve ---------------------------------------------------------

    def ask(self) -> Any:
        """Send the query of the form."""
        node, level = self.query_form.node.value, self.query_form.level.value
        return self.act(f"Asking {node}", partial(self._ask, node, level))

    def _ask(self, node: str, level: Level) -> str:
        tags = self.query_form.tags
        return self._show_answers(level, lambda: self.code.client.modalities[node].query(level, tags))

    def _show_answers(self, level: Level, ask: Callable[[], Query]) -> str:
        query = ask()
        rows = [answer_row(answer, level) for answer in query]
        with self._turn:
            self.query, self._query_level = query, level
            self.answers.show_columns(answer_columns(level))
            self.answers.rows = rows
            self.answers.empty = "Nothing matches"
            self._offer()
        return f"{len(rows)} {'answer' if len(rows) == 1 else 'answers'}"

    def _press_answer(self, key: str) -> Any:
        return self.retrieve() if key == "retrieve" else self.below()

    def _chosen(self) -> list[Answer]:
        chosen = [int(id) for id in self.answers.selected]
        return [answer for answer in self.query or () if not chosen or answer.number in chosen]

    def _coded(self, answer: Answer) -> Answer:
        assert self.query is not None
        return self.code.client.queries[self.query.id][answer.number]

    def below(self) -> Any:
        """Ask for what is below the selected answer."""
        (answer,) = self._chosen()
        level = self._query_level.child
        assert level is not None
        tags = dict.fromkeys(ASKED[level], "")
        ask = partial(self._show_answers, level, lambda: self._coded(answer).query(level, tags))
        return self.act(f"Asking for {level.plural}", ask)

    def retrieve(self) -> Any:
        """Retrieve the selected answers, or all if none is selected, each in a job."""
        chosen = self._chosen()
        return self.act("Starting", partial(self._retrieve, chosen))

    def _retrieve(self, chosen: Sequence[Answer]) -> str:
        jobs = [self._coded(answer).retrieve(method=self.method.value) for answer in chosen]
        return f"{len(jobs)} {'transfer' if len(jobs) == 1 else 'transfers'} started."

    # -- send, and the jobs ---------------------------------------------------------

    def send_checked(self) -> Any:
        """Send the checked resources to the chosen node, in a job."""
        return self.act(f"Sending to {self.target.value}", partial(self._store, self.target.value, self.tree.checked))

    def _store(self, node: str, resources: Sequence[str]) -> str:
        self.code.client.modalities[node].store(resources)
        return f"Started sending to {node}."

    def _selected_jobs(self) -> list[Job]:
        return [self._jobs[id] for id in self.jobs.selected if id in self._jobs]

    def control(self, control: str) -> Any:
        """Control the selected transfers: ``cancel``, ``pause``, ``resume``, ``resubmit`` or ``delete``."""
        jobs = allowed(control, self._selected_jobs())
        return self.act(control.capitalize(), partial(self._control, control, jobs))

    def _control(self, control: str, jobs: Sequence[Job]) -> str:
        for job in jobs:
            getattr(self.code.job(job), control)()
        return f"{control.capitalize()}: {len(jobs)} {'transfer' if len(jobs) == 1 else 'transfers'}, done."

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        heads = tuple(column.head for column in NODE_COLUMNS)
        keys = [column.key for column in NODE_COLUMNS]
        return super().snapshot() + html_table(heads, [[node[key] for key in keys] for node in self.nodes.rows])


def _line(widgets: list[Any]) -> ipywidgets.HBox:
    return ipywidgets.HBox(
        widgets, layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px")
    )
