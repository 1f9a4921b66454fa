"""A live view of the jobs on a server, with controls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, ClientError, Job, NotFoundError, Resource, UnreachableError
from orthanc_lab.client.display import table as html_table
from orthanc_lab.client.hierarchy import made_by
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.code.spoken import in_folder
from orthanc_lab.widgets.elements.download import Download
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.elements.toolbar import Toolbar
from orthanc_lab.widgets.jobs.job_filter import JobFilter
from orthanc_lab.widgets.jobs.job_rows import (
    COLUMNS,
    COLUMNS_OF_SEVERAL,
    TOOLS,
    allowed,
    has_made,
    has_output,
    offers,
    row,
)
from orthanc_lab.widgets.jobs.job_servers import JobServers
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.show_button import ShowButton

__all__ = ["JobsPanel"]

_IN_SNAPSHOT = ("state", "type", "server", "progress", "priority", "words")
_MOST_ROWS = 500  # a browser takes a second to draw some thousands of them, and again whenever they change


class JobsPanel(Panel):
    """A live table of jobs: select some, then cancel, pause, resume, resubmit or delete them; download an archive.

    Attributes
    ----------
    table
        The table; ``table.selected`` holds the identifiers of the selected jobs.
    filter
        Which jobs are shown, by state, type and text.
    toolbar
        The controls.
    download
        The button for downloading the archive of the selected job.

    Examples
    --------
    >>> panel = JobsPanel(client)
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> panel.refresh()
    >>> panel.table.rows[0]["state"]
    'Success'
    >>> panel.table.selected = [job.id]
    >>> panel.control("delete").result()
    >>> panel.status.text, panel.table.rows
    ('Delete: 1 job, done.', [])
    """

    title = "Jobs"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self._jobs: dict[str, Job] = {}
        self._servers = JobServers(self.poll_client)
        self._server_of: Mapping[str, str] = {}
        self._columns: tuple[Column, ...] = COLUMNS
        self._drawing = threading.RLock()  # both polling and the user may change what is shown
        self.filter = JobFilter(self._show)
        self.table = Table(COLUMNS, label="Jobs")
        self.toolbar = Toolbar(TOOLS, label="What to do with the selected jobs", on_press=self.control)
        self.download = Download("Download", self._save, disabled=True, hint="Download the archive of the selected job")
        self.show_button = ShowButton(self.act)
        self.show_button.layout.margin = "0"  # as the buttons beside it
        self.table.observe(lambda change: self._follow_selection(), "selected")
        tools = ipywidgets.HBox(
            [self.toolbar, self.show_button, self.download],
            layout={"flex_flow": "row wrap", "align_items": "flex-start", "grid_gap": "4px"},
        )
        self.body.children = [self.filter, tools, self.table]
        self.refresh()

    def poll(self) -> None:  # noqa: D102 - see Panel
        self._jobs = {job.id: job for job in self.poll_client.jobs.list()}
        self._server_of = self._servers.look()
        self.filter.offer_types(self._jobs.values())
        self._show()

    def _show(self) -> None:
        with self._drawing:
            jobs = list(self._jobs.values())
            shown = _nearest(self.filter.chosen(jobs))
            now = self.clock.now()
            self._show_rows([row(job, now, self._server_of.get(job.id, "")) for job in shown])
            self.table.empty = "No matching jobs" if jobs else "No jobs yet"
            self.table.note = "" if len(shown) == len(jobs) else f"{len(shown):,} of {len(jobs):,} jobs"
            self._offer()

    def _show_rows(self, rows: list[dict[str, Any]]) -> None:
        if self._servers.are_several and self._columns is COLUMNS:
            self._columns, selected = COLUMNS_OF_SEVERAL, self.table.selected
            self.table.show_columns(self._columns)
            self.table.rows, self.table.selected = rows, selected
        else:
            self.table.rows = rows

    @property
    def selected(self) -> list[Job]:
        """The selected jobs, as of the last poll."""
        jobs = self._jobs
        return [jobs[id] for id in self.table.selected if id in jobs]

    def _follow_selection(self) -> None:
        self.download.forget()
        self._offer()

    def _offer(self) -> None:
        with self._drawing:
            jobs = [] if self.is_away else self.selected
            self.toolbar.offers = offers(jobs)
            made = len(jobs) == 1 and has_made(jobs[0])
            self.show_button.offer(partial(self._first_made, jobs[0]) if made else None)
            self.download.disabled = not (len(jobs) == 1 and has_output(jobs[0]))

    def _first_made(self, job: Job) -> Resource:
        return made_by(self.client.transport, job)[0]

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        self._offer()

    def control(self, control: str) -> Any:
        """Control the selected jobs: ``cancel``, ``pause``, ``resume``, ``resubmit`` or ``delete``.

        Returns
        -------
        Future
            Done once the outcome is shown.
        """
        self.download.forget()
        jobs = allowed(control, self.selected)
        doing = f"{control.capitalize()}: {len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}"
        return self.act(doing, partial(self._control, control, doing, jobs))

    def _control(self, control: str, doing: str, jobs: list[Job]) -> str:
        failures = []
        for job in jobs:
            try:
                getattr(self.code.job(job), control)()
            except UnreachableError:
                raise
            except ClientError as error:  # it may have ended by now; the others can still be done
                failures.append(f"{job.type} {job.id[:8]}: {error}")
        if failures:
            raise ClientError("\n".join([f"{len(failures)} of {len(jobs)} failed.", *failures[:3]]))
        return f"{doing}, done."

    def _save(self, folder: Path, progress: Callable[[int, int | None], None]) -> Path:
        jobs = self.selected
        if not jobs:
            raise ClientError("The job is no longer selected.")
        try:
            with self.coding():
                path = in_folder(folder, f"{jobs[0].type}-{jobs[0].id[:8]}.zip")
                return self.code.job(jobs[0]).download(path, progress=progress)
        except NotFoundError as error:
            words = "it was streamed while it was made, or later ones have replaced it (option MediaArchiveSize)."
            raise ClientError(f"The server has no archive of this job: {words}") from error

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        shown = [column for column in self._columns if column.key in _IN_SNAPSHOT]
        heads = [column.head for column in shown]
        return super().snapshot() + html_table(
            heads, [[job[column.key] for column in shown] for job in self.table.rows]
        )


def _nearest(jobs: Sequence[Job]) -> list[Job]:
    """Return as many of the jobs as a table shows, in their order: those that run, those that may, the latest."""
    if len(jobs) <= _MOST_ROWS:
        return list(jobs)
    first = sorted(range(len(jobs)), key=lambda at: (jobs[at].state is not JobState.RUNNING, jobs[at].state.is_final))
    return [jobs[at] for at in sorted(first[:_MOST_ROWS])]
