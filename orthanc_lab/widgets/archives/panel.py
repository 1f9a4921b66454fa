"""Archives of the resources checked in a tree: streamed, or made by a job."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets

from orthanc_lab.client import Client, ClientError, Job, Resource
from orthanc_lab.client.display import amount
from orthanc_lab.client.download import Bytes
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.archives.archive_request import ArchiveRequest, Estimate, estimate, first_instance
from orthanc_lab.widgets.archives.transfer_syntaxes import NAMES, choices, possible
from orthanc_lab.widgets.code.spoken import in_folder
from orthanc_lab.widgets.elements.download import Download, Save
from orthanc_lab.widgets.jobs.job_rows import allowed
from orthanc_lab.widgets.latest import Latest
from orthanc_lab.widgets.resources_panel import ResourcesPanel
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["ArchivePanel"]

_PAUSE = timedelta(seconds=0.25)  # between two reports of progress
_MEANINGS = {
    "stream": "It is downloaded while it is being made.",
    "job": "The server makes it first. The job can be paused, and its archive downloaded more than once.",
}
_CONTROLS = {"pause": "pause", "resume": "play", "cancel": "times"}


class ArchivePanel(ResourcesPanel):
    """Check patients, studies or series; download them as a ZIP or as media with a DICOMDIR.

    A streamed archive is sent while it is being made. A job makes the archive on the server with a priority; it can be
    paused, resumed and canceled, and the archive can be downloaded once it has finished.

    Attributes
    ----------
    format, extended, syntax, way, priority, folder
        The settings.
    size
        The size of the selection, as text.
    stream, download
        The buttons for downloading the archive in the browser: streamed, or from the finished job.
    job
        The last job, None at first.

    Examples
    --------
    >>> panel = ArchivePanel(client)
    >>> panel.tree.toggle(panel.tree.level()[0].id)
    >>> panel.way.value, panel.format.value, panel.priority.value = "job", "media", 5
    >>> panel.make().result()
    >>> panel.job.wait().type, panel.job.priority
    ('Media', 5)
    >>> panel.refresh()
    >>> panel.download.save_beside(folder).name
    'Archive.zip'
    """

    title = "Archive"
    mode = "check"

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self.job: Job | None = None
        self._state: JobState | None = None  # of the job, as shown
        self._size_queue: SerialQueue[None] = SerialQueue()
        self._size_requests = Latest()
        self._tried: set[str] = set()
        self._stop = threading.Event()
        self._reported: datetime | None = None
        self._make_controls()
        self._lay_out()
        self.folder.observe(lambda change: self._show_place(), "value")
        self._show_place()
        for control in (self.format, self.way):
            control.observe(lambda change: self._enable(), "value")
        for control in (self.format, self.extended, self.syntax):
            control.observe(lambda change: self.stream.forget(), "value")
        self.tree.observe(lambda change: self._ask_size("…"), "checked")
        self._enable()
        self.refresh()

    def _make_controls(self) -> None:
        free, labelled = {"description_width": "initial"}, {"description_width": "8em"}
        self.format = ipywidgets.ToggleButtons(
            description="Format",
            tooltip="What is downloaded",
            options=[("ZIP", "archive"), ("ZIP with DICOMDIR", "media")],
            tooltips=["Folders for patients, studies and series", "As on a CD given to patients"],
            style={"button_width": "auto", **labelled},
        )
        self.extended = ipywidgets.Checkbox(description="SeriesDescription in the DICOMDIR", indent=False)
        self.syntax = ipywidgets.Dropdown(description="Transfer syntax", options=choices(NAMES), style=labelled)
        self.way = ipywidgets.ToggleButtons(
            description="Method",
            tooltip="How it is made",
            options=[("Stream", "stream"), ("Job", "job")],
            tooltips=["Download it while it is being made", "Let the server make it first, then download it"],
            style={"button_width": "auto", **labelled},
        )
        self.meaning = ipywidgets.HTML(layout=ipywidgets.Layout(margin="0 0 4px min(8em + 12px, 20%)"))
        self.priority = ipywidgets.IntText(
            0,
            description="Priority",
            style=free,
            layout=ipywidgets.Layout(width="9em"),
            tooltip="Jobs with a higher priority run earlier",
        )
        self.folder = ipywidgets.Text(
            description="Save as",
            placeholder="folder or file",
            style=labelled,
            tooltip="A folder or file on the kernel's machine; the folder of the notebook if it is empty",
        )
        self.place = ipywidgets.Label()
        self.save_button = self._button("Save", "save", "Save the archive there", self.save)
        self.stop_button = self._button("Stop", "stop", "Stop saving", self._stop.set)
        self.stop_button.disabled = True
        self.start_button = self._button("Start the job", "cogs", "Have the server make the archive", self.make)
        self.start_button.button_style = "primary"
        self.controls = {
            control: self._button(
                control.capitalize(), icon, f"{control.capitalize()} the job", partial(self.control, control)
            )
            for control, icon in _CONTROLS.items()
        }
        self.clear_button = self._button("Clear", "square-o", "Uncheck everything", self.tree.clear)
        self.size = ipywidgets.Label(Estimate().words)
        self.bar = ipywidgets.IntProgress(description="Job", max=100, style=labelled)
        self.words = ipywidgets.Label()
        self.stream = Download("Download", self._to_browser(self._save_streamed), is_primary=True)
        self.download = Download("Download the archive", self._to_browser(self._save_output), is_primary=True)

    def _button(self, text: str, icon: str, words: str, action: Any) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, icon=icon, tooltip=words, layout={"width": "auto"})
        button.on_click(lambda _: action())
        return button

    def _lay_out(self) -> None:
        self._job_line = _line([self.bar, self.words, *self.controls.values()])
        rows = [
            [self.size, self.clear_button],
            [self.format, self.extended],
            [self.syntax],
            [self.way, self.priority, self.start_button, self.stream, self.download],
            [self.meaning],
            [self.folder, self.save_button, self.stop_button, self.place],
        ]
        lines = [_line(row) for row in rows]
        self.body.children = [self.search_and_tree(), *lines[:-1], self._job_line, lines[-1]]

    @property
    def request(self) -> ArchiveRequest:
        """The archive as chosen now."""
        return ArchiveRequest(self.format.value, tuple(self.tree.checked), self.syntax.value, self.extended.value)

    # -- what is selected -----------------------------------------------------------

    def _checked(self) -> list[Resource]:
        found = (self.branches.resource(id) for id in self.tree.checked)
        return [resource for resource in found if resource is not None]

    def _ask_size(self, meanwhile: str = "") -> None:
        number = self._size_requests.begin()
        if meanwhile:
            self.size.value = meanwhile
            self.stream.forget()
        self._enable()
        resources = self._checked()
        if resources:
            self._size_queue.submit(partial(self._find_size, number, resources))
        else:
            self.size.value = Estimate().words

    def _find_size(self, number: int, resources: list[Resource]) -> None:
        if not self._size_requests.is_latest(number):
            return
        try:
            found = estimate(resources)
            self._try_syntaxes(resources[0])
        except ClientError:
            self.size.value = "Size unknown: the server does not answer"
            return
        with self._turn:
            if self._size_requests.is_latest(number):
                self.size.value = found.words
                if found.gone:
                    self.forget(set(found.gone))

    def _try_syntaxes(self, resource: Resource) -> None:
        instance = first_instance(self.poll_client, resource)
        if instance is None or instance.document["ParentSeries"] in self._tried:
            return
        options = choices(possible(self.poll_client, instance))
        self._tried = {instance.document["ParentSeries"]}
        chosen = self.syntax.value
        if options != list(self.syntax.options):
            with self.hold_trait_notifications():
                self.syntax.options = options
                self.syntax.value = chosen if chosen in dict(options).values() else ""
        if self.syntax.value != chosen:
            words = f"The server cannot transcode these images to {NAMES[chosen]}; they stay as stored."
            self.tell(words, is_warning=True)

    def wait_until_shown(self) -> None:
        """Wait until the size of the selection is shown."""
        self._size_queue.submit(lambda: None).result()

    def changed(self, gone: set[str]) -> None:  # noqa: D102 - see ResourcesPanel
        if self.tree.checked:
            self._ask_size()

    # -- archives -------------------------------------------------------------------

    def _to_browser(self, saves: Save) -> Save:
        def saved(folder: Path, progress: Bytes) -> Path:
            with self.coding():
                return saves(in_folder(folder), progress)

        return saved

    def _save_streamed(self, folder: Path, progress: Bytes) -> Path:
        return self.request.save(self.code.client, folder, progress)

    def _save_output(self, folder: Path, progress: Bytes) -> Path:
        if self.job is None:
            raise ValueError("There is no archive yet")
        return self.code.job(self.job).download(folder, progress=progress)

    def _show_place(self) -> None:
        place = Path(self.folder.value).expanduser().absolute()
        self.place.value = f"in {place}" if place.is_dir() else f"as {place}"

    def save(self) -> Any:
        """Save the streamed archive, or that of the job, to the folder."""
        saves = self._save_streamed if self.way.value == "stream" else self._save_output
        folder = Path(self.folder.value).expanduser()
        self._stop.clear()
        self._reported = None
        self.stop_button.disabled = False
        self.save_button.disabled = True
        return self.act("Saving", partial(self._save, saves, folder))

    def _save(self, saves: Save, folder: Path) -> str:
        try:
            path = saves(folder, self._report)
        finally:
            self.stop_button.disabled = True
            self.save_button.disabled = False
        return f"Saved {path.absolute()} ({amount(path.stat().st_size)})"

    def _report(self, done: int, total: int | None) -> None:
        if self._stop.is_set():
            raise ClientError("stopped; nothing was saved")
        now = self.clock.now()
        if self._reported and now - self._reported < _PAUSE:
            return
        self._reported = now
        whole = f" of {amount(total)}" if total else ""
        self.status.say(f"Saving: {amount(done)}{whole}")

    def make(self) -> Any:
        """Start the job."""
        return self.act("Starting", partial(self._submit, self.request, self.priority.value))

    def _submit(self, request: ArchiveRequest, priority: int) -> str:
        self.download.forget()
        job = request.submit(self.code.client, priority)
        with self._turn:  # else a poll of the last job would put that one back
            self._state, self.job = None, job
        return f"Job {job.id} is making the archive."

    def control(self, control: str) -> Any:
        """Control the job: ``pause``, ``resume`` or ``cancel``."""
        return self.act(f"{control.capitalize()} the job", partial(self._control, control))

    def _control(self, control: str) -> None:
        if self.job is not None:
            getattr(self.code.job(self.job), control)()

    def poll(self) -> None:  # noqa: D102 - see Panel
        super().poll()
        job = self.job
        if job is None:
            return
        if not job.state.is_final:
            try:
                job = Job(self.client.transport, self.poll_client.jobs[job.id].document)
            except KeyError:
                job = None
                self.tell("The server no longer knows the job.", is_warning=True)
        self.job = job
        self._show_job()

    def _show_job(self) -> None:
        job = self.job
        state = None if job is None else job.state
        if job is not None:
            self.bar.value = job.progress
            self.words.value = f"{job.state.value} · {job.progress} %"
        if job is not None and state is not self._state:
            if state is JobState.FAILURE:
                self.tell(f"The archive failed: {job.error}", is_warning=True)
            elif state is JobState.SUCCESS:
                self.tell("The archive is ready.")
        if state is not self._state:
            self._state = state
            self._enable()

    def _enable(self) -> None:
        by_job = self.way.value == "job"
        nothing = not self.tree.checked or self.is_away
        done = self.job is not None and self.job.state is JobState.SUCCESS and not self.is_away
        self.extended.disabled = self.format.value != "media"
        self.start_button.disabled = self.stream.disabled = nothing
        self.clear_button.disabled = not self.tree.checked
        self.download.disabled = not done
        self.save_button.disabled = not done if by_job else nothing
        for control, button in self.controls.items():
            button.disabled = self.is_away or self.job is None or not allowed(control, [self.job])
        _show(by_job, self.priority, self.start_button, self.download)
        _show(by_job and self.job is not None, self._job_line)
        _show(not by_job, self.stream)
        self.meaning.value = _MEANINGS[self.way.value]

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        self._enable()

    def close(self) -> None:  # noqa: D102 - see Panel
        self._stop.set()
        self._size_queue.close()
        super().close()


def _line(widgets: list[Any]) -> ipywidgets.HBox:
    # Each line has its own layout object, so that hiding one does not hide them all.
    return ipywidgets.HBox(widgets, layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center"))


def _show(visible: bool, *widgets: ipywidgets.DOMWidget) -> None:
    for widget in widgets:
        widget.layout.display = None if visible else "none"
