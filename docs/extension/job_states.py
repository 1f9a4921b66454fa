"""The states of a job as a diagram and as a table, both generated from the server's state machine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from docutils import nodes
from project_tables import Row, Table
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from orthanc_lab.jobs.machine import Effect, Event, IllegalMove, Moment, Report, Status, advance
from orthanc_lab.protocol.jobs import JobState

COMMANDS = (Event.CANCEL, Event.PAUSE, Event.RESUME, Event.RESUBMIT, Event.DELETE)
WIDTH, HEIGHT = 760, 370
BOXES = {
    JobState.PENDING: (110, 80),
    JobState.RUNNING: (390, 80),
    JobState.SUCCESS: (665, 80),
    JobState.PAUSED: (250, 240),
    JobState.FAILURE: (560, 240),
}
"""The position of each state's centre; Retry, which nothing leads to, is not drawn."""

ARROWS = {
    (JobState.PENDING, JobState.RUNNING): ("M170,70 H326", (248, 62)),
    (JobState.RUNNING, JobState.PENDING): ("M330,92 H174", (250, 108)),
    (JobState.RUNNING, JobState.RUNNING): ("M370,57 C350,17 430,17 412,54", (391, 18)),
    (JobState.RUNNING, JobState.SUCCESS): ("M450,80 H601", (527, 72)),
    (JobState.RUNNING, JobState.FAILURE): ("M425,103 L532,214", (522, 148)),
    (JobState.RUNNING, JobState.PAUSED): ("M365,103 L280,214", (348, 172)),
    (JobState.PAUSED, JobState.PENDING): ("M225,217 L134,106", (214, 152)),
    (JobState.PENDING, JobState.PAUSED): ("M90,103 C95,200 130,240 186,240", (137, 182)),
    (JobState.PAUSED, JobState.FAILURE): ("M310,240 H496", (405, 232)),
    (JobState.PENDING, JobState.FAILURE): ("M70,103 C60,300 380,345 520,266", (232, 300)),
    (JobState.FAILURE, JobState.PENDING): ("M580,263 C540,390 10,400 50,107", (330, 352)),
}
"""The path of each arrow, and the position of its text."""


def move(state: JobState, event: Event) -> tuple[Status, tuple[Effect, ...]] | None:
    """Return the effect of an event on a job in a state; None if it is impossible."""
    at = Moment(datetime(2026, 1, 1, tzinfo=UTC), 0.0)
    try:
        return advance(Status(state), event, at, Report(0.5, {}))
    except IllegalMove:
        return None


def arrows() -> dict[tuple[JobState, JobState], list[str]]:
    """Return the text of each arrow."""
    found: dict[tuple[JobState, JobState], list[str]] = {}
    for state in BOXES:
        for event in Event:
            done = move(state, event)
            if done is not None and (done[0] != Status(state)):
                after = _in_the_end(done[0])
                words = "restart" if event is Event.RESTORED else event.value
                if after is not state or event is Event.STEPPED:
                    found.setdefault((state, after), []).append(words)
    return found


def _in_the_end(status: Status) -> JobState:
    # A running job is paused or canceled between two steps.
    return JobState.PAUSED if status.pausing else JobState.FAILURE if status.canceling else status.state


class JobStates(SphinxDirective):
    """The diagram."""

    def run(self) -> list[nodes.Node]:
        """Return it as SVG in the colours of the page."""
        words = arrows()
        if words.keys() != ARROWS.keys():
            raise self.error(f"Drawn and real moves differ: {words.keys() ^ ARROWS.keys()}")
        return [nodes.raw("", svg(words), format="html")]


def svg(words: dict[tuple[JobState, JobState], list[str]]) -> str:
    """Draw the states and the labelled transitions."""
    parts = [
        f'<svg class="job-states" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="States of a job">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        '<path class="arrow" d="M2,80 H46"/><text x="24" y="72">submit</text>',
    ]
    for key, (path, (x, y)) in ARROWS.items():
        kind = "arrow after" if words[key] == ["restart"] else "arrow"
        parts.append(f'<path class="{kind}" d="{path}"/><text x="{x}" y="{y}">{escape(", ".join(words[key]))}</text>')
    for state, (x, y) in BOXES.items():
        final = " final" if state.is_final else ""
        parts.append(
            f'<rect class="state{final}" x="{x - 60}" y="{y - 23}" width="120" height="46" rx="8"/>'
            f'<text class="name" x="{x}" y="{y + 5}">{state.value}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def in_words(words: dict[tuple[JobState, JobState], list[str]]) -> str:
    """Say what the diagram shows."""
    moves = (f"{before.value} to {after.value}: {', '.join(told)}" for (before, after), told in words.items())
    return f"The states of a job. {'. '.join(moves)}."


class JobCommands(Table):
    """The commands that a client can send in each state of a job."""

    heads = ("State", *(event.value for event in COMMANDS))
    widths = (20, *(16 for _ in COMMANDS))

    def rows(self) -> Iterable[Row]:
        """One row for each state."""
        for state in JobState:
            yield f"**{state.value}**", *(answer(state, event) for event in COMMANDS)


def answer(state: JobState, event: Event) -> str:
    """Describe the effect of a command."""
    done = move(state, event)
    assert done is not None, "every command has an answer in every state"
    status, effects = done
    if Effect.REFUSE in effects:
        return "refused"
    if Effect.FORGET in effects:
        return "removed"
    if status == Status(state):
        return "nothing happens"
    later = ", after the step" if status.state is state else ""
    return f"→ {_in_the_end(status).value}{later}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("job-states", JobStates)
    app.add_directive("job-commands", JobCommands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
