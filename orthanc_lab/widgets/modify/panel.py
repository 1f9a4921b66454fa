"""Anonymizing, modifying, splitting and merging what is checked in a tree, in jobs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, Job, NotFoundError, Resource, Series, Study, UnreachableError
from orthanc_lab.client.hierarchy import made_by
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.archives.archive_request import first_instance
from orthanc_lab.widgets.dicomize.field import row as line
from orthanc_lab.widgets.elements.table import Table
from orthanc_lab.widgets.jobs.job_rows import COLUMNS, row
from orthanc_lab.widgets.modify.change_form import ChangeForm
from orthanc_lab.widgets.modify.change_request import ChangeRequest
from orthanc_lab.widgets.resource_branches import study_words
from orthanc_lab.widgets.resources_panel import ResourcesPanel
from orthanc_lab.widgets.show_button import ShowButton
from orthanc_lab.widgets.tag_differences import columns

__all__ = ["ModifyPanel"]

_JOB_COLUMNS = tuple(column for column in COLUMNS if column.key in ("state", "type", "progress", "elapsed"))
_MOST_JOBS = 200  # listed


class ModifyPanel(ResourcesPanel):
    """Check patients, studies or series; anonymize, modify, split or merge them in jobs.

    Before the start, a table shows what happens to the tags of one instance. The server makes that preview without
    storing it.

    Attributes
    ----------
    form
        What to do, and how.
    differences
        The table of the preview.
    jobs
        The jobs that were started here.

    Examples
    --------
    >>> panel = ModifyPanel(client)
    >>> panel.tree.toggle(panel.tree.level()[0].id)
    >>> panel.preview().result()
    >>> [(row["name"], row["after"]) for row in panel.differences.rows if row["name"] == "PatientName"]
    [('PatientName', 'Anonymized1')]
    >>> panel.make().result()
    >>> [job.wait().type for job in panel.started]
    ['ResourceModification']
    """

    title = "Modify"
    mode = "check"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self._jobs: dict[str, Job] = {}
        self._untold: set[str] = set()  # jobs whose end has not been reported
        self._deletes = False  # whether a job that was started here deletes its sources
        self.form = ChangeForm(self._follow_form)
        self.preview_button = ipywidgets.Button(
            description="Preview",
            icon="eye",
            tooltip="Show what happens to the tags of one instance, without storing anything",
            layout={"width": "auto"},
        )
        self.make_button = ipywidgets.Button(
            description="Start the job", icon="cogs", button_style="primary", layout={"width": "auto"}
        )
        self.show_button = ShowButton(self.act)
        self.hint = ipywidgets.Label()
        self.differences = Table(columns("Before", "After"), label="What happens to the tags of one instance")
        self.jobs = Table(_JOB_COLUMNS, label="Jobs started here", empty="No jobs yet")
        self.preview_button.on_click(lambda _: self.preview())
        self.make_button.on_click(lambda _: self.make())
        self.tree.observe(lambda change: self._follow_checked(), "checked")
        self._lay_out()
        self._enable()
        self.refresh()

    def _lay_out(self) -> None:
        left = ipywidgets.VBox([self.search_and_tree()], layout={"flex": "1 1 300px", "min_width": "0"})
        buttons = line(self.preview_button, self.make_button, self.show_button, self.hint)
        right = ipywidgets.VBox([self.form, buttons, self.jobs], layout={"flex": "2 1 400px", "min_width": "0"})
        both = ipywidgets.HBox([left, right], layout={"flex_flow": "row wrap", "grid_gap": "8px"})
        self.differences.layout.display = "none"
        self.body.children = [both, self.differences]

    # -- what is checked ------------------------------------------------------------

    def _checked(self) -> list[Resource]:
        found = (self.branches.resource(id) for id in self.tree.checked)
        return [resource for resource in found if resource is not None]

    def _follow_checked(self) -> None:
        self._forget_preview()
        self._offer_targets()
        self._enable()

    def _offer_targets(self) -> None:
        if self.form.action.value == "merge":
            self.guard(self._find_targets, "Listing the studies")

    def _find_targets(self) -> None:
        found = ChangeRequest("merge").spread(self._checked())
        self.form.offer_targets([(study_words(study), study) for study in found if isinstance(study, Study)])

    def _follow_form(self) -> None:
        self._forget_preview()
        self._offer_targets()
        self._enable()

    def _forget_preview(self) -> None:
        self.differences.layout.display = "none"
        self.differences.rows = []

    def _enable(self) -> None:
        checked = self._checked()
        self.preview_button.disabled = self.make_button.disabled = self.is_away or not checked
        count = len(checked)
        noun = "resource" if count == 1 else "resources"
        self.hint.value = f"{count:,} {noun} checked" if count else "Nothing checked"

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        self._enable()

    # -- the change -----------------------------------------------------------------

    def preview(self) -> Any:
        """Show what the change would do to one instance."""
        return self.act("Preview", partial(self._preview, self._checked()))

    def _preview(self, resources: Sequence[Resource]) -> str:
        from orthanc_lab.widgets.modify.preview import modules_of, preview  # noqa: PLC0415 - loads pydicom's reader

        self._forget_preview()
        request = self.form.request()
        resources = request.spread(resources)
        if words := request.problem(resources):
            raise ValueError(words)
        source = next(one for one in resources if one.id != request.target)
        instance = first_instance(self.client, source)
        if instance is None:
            raise ValueError("this has since been deleted on the server.")
        target = modules_of(self.client, request.target) if request.target else {}
        found = preview(self.code.client, instance, request, source.level, target)
        self.differences.rows = [one.row() for one in found]
        self.differences.layout.display = None
        return f"{len(found)} tags of this instance would change. Nothing was stored."

    def make(self) -> Any:
        """Start the jobs."""
        return self.act(self.form.action.value.capitalize(), partial(self._make, self._checked()))

    def _make(self, resources: Sequence[Resource]) -> str:
        request = self.form.request()
        self.show_button.offer(None)
        self._deletes = self._deletes or not request.keep_source
        count = 0
        for job in request.submit(self.code.client, request.spread(resources)):
            count += 1
            with self._turn:
                kept = list(self._jobs.items())[1 - _MOST_JOBS :]
                self._jobs = dict([*kept, (job.id, Job(self.poll_client.transport, job.document))])
                self._untold.add(job.id)
                self._show_jobs()
        return f"{count} {'job' if count == 1 else 'jobs'} started."

    @property
    def started(self) -> list[Job]:
        """The jobs that were started here, as of the last poll."""
        return list(self._jobs.values())

    def poll(self) -> None:  # noqa: D102 - see Panel
        super().poll()
        if not self._untold:
            return
        current = {job.id: job for job in self.poll_client.jobs.list()}
        self._untold &= set(current)  # others have dropped out of a short history
        self._jobs = {id: current.get(id, job) for id, job in self._jobs.items() if id in current or job.state.is_final}
        self._show_jobs()
        ended = [job for id, job in current.items() if id in self._untold and job.state.is_final]
        self._untold -= {job.id for job in ended}
        try:
            self._tell_ends(ended)
        except UnreachableError:
            self._untold |= {job.id for job in ended}  # the next poll reports them
            raise

    def forget(self, gone: set[str]) -> None:
        """Remove deleted resources from the tree; what the jobs of this panel delete is no news."""
        if self._deletes:
            self.tree.remove(gone)
        else:
            super().forget(gone)

    def _show_jobs(self) -> None:
        now = self.clock.now()
        self.jobs.rows = [row(job, now) for job in reversed(self._jobs.values())]

    def _tell_ends(self, ended: Sequence[Job]) -> None:
        failed = [job for job in ended if job.state is not JobState.SUCCESS]
        if failed:
            words = "\n".join(f"{job.type} {job.id[:8]}: {job.error}" for job in failed[:3])
            self.tell(words, is_warning=True)
        elif ended:
            made = [resource for job in ended for resource in made_by(self.poll_client.transport, job)]
            try:
                names = [_name(resource) for resource in made[:3]]
            except NotFoundError:
                self.tell("Done; what was made has since been deleted on the server.")
            else:
                self.show_button.offer(lambda: made[0])
                self.tell(f"Result: {'; '.join(names)}{' …' if len(made) > len(names) else ''}")


def _name(resource: Resource) -> str:
    if isinstance(resource, Series):
        return f"{resource.tags.get('SeriesDescription', 'series')} of {study_words(resource.study)}"
    return study_words(resource) or resource.id
