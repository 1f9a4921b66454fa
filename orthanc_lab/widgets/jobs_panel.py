"""The jobs of a server, live, with their controls."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, Job
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.job_rows import COLUMNS, CONTROLS, allowed, row
from orthanc_lab.widgets.panel import Panel

__all__ = ["JobsPanel"]

_ICONS = {"cancel": "times", "pause": "pause", "resume": "play", "resubmit": "repeat", "delete": "trash"}


class JobsPanel(Panel):
    """A live table of the jobs: select some, then cancel, pause, resume, resubmit or delete them.

    Examples
    --------
    >>> panel = JobsPanel(client)
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> panel.refresh()
    >>> panel.table.rows[0]["state"]
    'Success'
    """

    title = "Jobs"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self._jobs: dict[str, Job] = {}
        self.table = Table(COLUMNS, label="Jobs", empty="No jobs yet")
        self.buttons = {control: self._button(control) for control in CONTROLS}
        self.table.observe(lambda change: self._enable(), "selected")
        self.body.children = [ipywidgets.HBox(list(self.buttons.values())), self.table]
        self.refresh()

    def _button(self, control: str) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=control.capitalize(), icon=_ICONS[control], tooltip=f"{control.capitalize()} the selected jobs"
        )
        button.on_click(lambda _: self.control(control))
        return button

    def look(self) -> None:  # noqa: D102 - see Panel
        jobs = self.glance.jobs.list()
        self._jobs = {job.id: job for job in jobs}
        now = self.clock.now()
        self.table.rows = [row(job, now) for job in jobs]
        self._enable()

    @property
    def selected(self) -> list[Job]:
        """The selected jobs, as they were at the last look."""
        return [self._jobs[id] for id in self.table.selected if id in self._jobs]

    def _enable(self) -> None:
        for control, button in self.buttons.items():
            button.disabled = not allowed(control, self.selected)

    def control(self, control: str) -> None:
        """Do something with the selected jobs: ``cancel``, ``pause``, ``resume``, ``resubmit``, ``delete``."""
        jobs = allowed(control, self.selected)
        self.act(f"{control.capitalize()}: {len(jobs)} jobs", partial(self._control, control, jobs))

    def _control(self, control: str, jobs: list[Job]) -> None:
        for job in jobs:
            getattr(Job(self.client.transport, job.document), control)()
