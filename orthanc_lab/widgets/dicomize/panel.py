"""Turning images and documents from the browser's machine into DICOM on a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Self

import ipywidgets

from orthanc_lab.client import Client, Instance, ResponseError, Series, display
from orthanc_lab.widgets.closing import close_whole
from orthanc_lab.widgets.code.spoken import with_names
from orthanc_lab.widgets.controlled_server import ControlledServer
from orthanc_lab.widgets.dicomize.contents import Content, content_of, order, refusal, thumbnail
from orthanc_lab.widgets.dicomize.dictionary_button import DictionaryButton
from orthanc_lab.widgets.dicomize.field import Problem, row
from orthanc_lab.widgets.dicomize.form import Form, Request, field_of, not_kept, words_of
from orthanc_lab.widgets.dicomize.parent_menu import ParentMenu
from orthanc_lab.widgets.dicomize.private_rows import PrivateRows, snippet_html
from orthanc_lab.widgets.dicomize.private_tags import unknown_to_server
from orthanc_lab.widgets.dicomize.result import result_view
from orthanc_lab.widgets.dicomize.tag_fields import TagFields
from orthanc_lab.widgets.elements.drop_zone import DroppedFile, DropZone, RefusedError
from orthanc_lab.widgets.elements.table import Column, Table
from orthanc_lab.widgets.folds import Folds
from orthanc_lab.widgets.panel import Panel
from orthanc_lab.widgets.show_button import ShowButton

__all__ = ["DicomizePanel"]

_TAGS = ("PatientID", "PatientName", "PatientBirthDate", "StudyDescription", "SeriesDescription", "Modality")
_COLUMNS = (Column("name", "File"), Column("words", "Description"))
_MOST_BYTES = 256 << 20  # per file: it is sent as one JSON text
_SHOWN = 6  # thumbnails
_MIXTURE = "The images and documents become one series; make them one after the other to get two."
_OPTIONS: Mapping[str, str] = {
    "Secondary Capture": "Gives images an SOP class and a modality, which viewers and DICOMDIR media need.",
    "Force": "Lets your tags replace those set by the parent or the server: UIDs, patient, study.",
    "Encapsulate": "Keeps the bytes of a single JPEG as they are, compressed (needs Orthanc 1.12.7).",
}
_TICKED = ("Secondary Capture",)


class DicomizePanel(Panel):
    """Turns a dropped PNG, JPEG or PDF file into an instance, or several files into a series.

    A form takes the tags (with completion of keywords and validation of values), the parent, and private tags;
    problems are shown next to their fields.

    Attributes
    ----------
    form
        The filled-in form.
    made
        The instances and series made so far.

    Examples
    --------
    >>> panel = DicomizePanel(client)
    >>> panel.add(samples.path("report.pdf"))
    >>> panel.tags.rows["PatientID"].entry.value = "PHANTOM-1"
    >>> panel.make().result()
    >>> panel.made[0].all_tags["PatientID"]
    'PHANTOM-1'
    """

    title = "DICOM-ize"

    def __init__(self, client: Client, *, server: ControlledServer | None = None, **options: Any) -> None:
        super().__init__(client, **options)
        self.made: list[Instance | Series] = []
        self.contents: list[Content] = []
        self._dropped: dict[str, DroppedFile] = {}
        self._is_making = False
        self._making: Future[None] = Future()
        self._is_refused = False  # whether the status line names fields that need attention
        self._is_done = False  # whether the files shown were already converted: the next drop starts over
        self.zone = DropZone(
            label="Drop PNG, JPEG or PDF files here (several become a series), or",
            accept=".png,.jpg,.jpeg,.pdf",
            max_size=_MOST_BYTES,
            check=refusal,
            on_file=self._take,
        )
        self.files = Table(_COLUMNS, label="Files to convert", empty="No files yet")
        self.pictures = ipywidgets.HTML()
        self.mixture = ipywidgets.Label(_MIXTURE)
        self.remove_button = _button("Remove", "times", "Remove the selected files, or all if none is selected")
        self.contents_problem = Problem()
        self.tags = TagFields(_TAGS, self._recheck)
        self.parent = ParentMenu(client, self.act, self._inherit, self.code.client)
        self.private = PrivateRows(self._recheck, DictionaryButton(server, self._restart, self.code))
        self.capture, self.force, self.encapsulate = (
            ipywidgets.Checkbox(words in _TICKED, description=words, indent=False, layout={"width": "170px"})
            for words in _OPTIONS
        )
        self.make_button = _button("Make DICOM", "magic", "Create the instance or series on the server", "primary")
        self.show_button = ShowButton(self.act)
        self.result = ipywidgets.VBox()
        self.files.observe(lambda change: self._draw_pictures(), "selected")
        self.remove_button.on_click(lambda _: self.remove(self.files.selected))
        self.make_button.on_click(lambda _: self.make())
        self.force.observe(lambda change: self._inherit(), "value")
        self.encapsulate.observe(lambda change: self._recheck(), "value")
        self.body.children = self._layout()
        self._draw()
        self.refresh()

    def _layout(self) -> list[Any]:
        self.private_part = Folds([self.private], ["Private tags"])
        boxes = (self.capture, self.force, self.encapsulate)
        options = [row(box, ipywidgets.Label(words)) for box, words in zip(boxes, _OPTIONS.values(), strict=True)]
        files = [self.files, row(self.pictures, self.remove_button), self.mixture, self.contents_problem]
        fields = [ipywidgets.VBox(files), self.tags, self.parent, self.private_part, *options]
        return [self.zone, *fields, row(self.make_button, self.show_button), self.result]

    @classmethod
    def in_dashboard(cls, client: Client, server: ControlledServer | None, **options: Any) -> Self:  # noqa: D102 - see Panel
        return cls(client, server=server, **options)

    def _restart(self, doing: str, action: Callable[[], str | None]) -> Future[None]:
        def restarted() -> str | None:
            words = action()
            self.private.check()
            return words

        return self.act(doing, restarted)

    def poll(self) -> None:
        """Only check whether the server answers: nothing else about it is shown here."""
        self.poll_client.transport.get("/system")

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        rows = [(made.level.value, made.id, self.client.url + made.path) for made in self.made]
        return super().snapshot() + display.table(("Created", "Identifier", "Address"), rows)

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        self._enable()

    def _enable(self) -> None:
        self.make_button.disabled = self.is_away or self._is_making

    # -- files ------------------------------------------------------------------------

    def _take(self, file: DroppedFile) -> None:
        try:
            content = content_of(file.name, file.path)
        except ValueError as error:
            raise RefusedError(str(error)) from error
        self._start_over()
        self._dropped[str(file.path)] = file
        self._add(content)

    def add(self, path: str | Path, name: str = "") -> None:
        """Add a file from the kernel's machine, as if it had been dropped.

        Raises
        ------
        ValueError
            If it is not a PNG, JPEG or PDF that Orthanc reads.
        """
        content = content_of(name or Path(path).name, Path(path))
        self._start_over()
        self._add(content)

    def _start_over(self) -> None:
        if self._is_done:
            self.remove([])

    def _add(self, content: Content) -> None:
        self.contents = sorted([*self.contents, content], key=order)
        self._draw()

    def remove(self, paths: list[str]) -> None:
        """Remove files from the form; all files for an empty list."""
        gone = [content for content in self.contents if not paths or str(content.path) in paths]
        self.contents = [content for content in self.contents if content not in gone]
        for content in gone:
            if file := self._dropped.pop(str(content.path), None):
                file.discard()
        self._is_done = False
        self._draw()

    def _draw(self) -> None:
        self.files.rows = [
            {"id": str(content.path), "name": content.name, "words": content.words} for content in self.contents
        ]
        self.remove_button.layout.display = "" if self.contents else "none"
        self.mixture.layout.display = "" if Form(tuple(self.contents)).is_mixed else "none"
        self.contents_problem.say("")
        self._draw_pictures()
        self._recheck()

    def _draw_pictures(self) -> None:
        chosen = [content for content in self.contents if str(content.path) in self.files.selected] or self.contents
        shown = [content for content in chosen if content.is_picture][:_SHOWN]
        self.pictures.value = "".join(_picture(content) for content in shown)

    # -- making -----------------------------------------------------------------------

    @property
    def form(self) -> Form:
        """The filled-in form."""
        return Form(
            contents=tuple(self.contents),
            tags=self.tags.values(),
            private=self.private.block,
            parent=self.parent.value,
            inherited=self.parent.inherited,
            force=self.force.value,
            encapsulate=self.encapsulate.value,
            as_capture=self.capture.value,
        )

    def make(self) -> Future[None]:
        """Make DICOM from the form's contents, in the background; problems are shown next to their fields."""
        if self._is_making:
            return self._making  # a second click does not make it twice
        self._replace_result()
        form = self.form
        if problems := self._problems():
            self._refuse(problems)
            self._focus(next(iter(problems)))
            done: Future[None] = Future()
            done.set_result(None)
            return done
        self._say({})
        self._is_refused = False
        self._is_making = True
        self._enable()
        self._making = self.act("Making DICOM", partial(self._make, form))
        return self._making

    def _problems(self) -> dict[str, str]:
        problems = self.form.problems()
        if self.parent.is_missing:
            problems["parent"] = "Choose one from the list, or no parent."
        return problems

    def _refuse(self, problems: Mapping[str, str]) -> None:
        self._is_refused = True
        self._say(problems)
        self.status.warn(f"Not sent. Please check: {', '.join(map(_name_of_field, problems))}.")

    def _recheck(self) -> None:
        """Let the message about fields that need attention follow what the user changes."""
        if not self._is_refused:
            return
        if problems := self._problems():
            self._refuse(problems)
        else:
            self._is_refused = False
            self._say({})
            self.status.clear()

    def _inherit(self) -> None:
        self.tags.inherit({} if self.force.value else self.parent.inherited)
        self._recheck()

    def _focus(self, name: str) -> None:
        """Bring a field into view, with the keyboard focus in it."""
        if name == "contents":
            self.zone.focus()
        elif name == "parent":
            self.parent.focus()
        elif name.startswith("private "):
            self.private_part.selected_index = 0
            self.private.focus(name.removeprefix("private "))
        else:
            self.tags.rows[name].entry.focus()

    def _say(self, problems: Mapping[str, str]) -> None:
        self.tags.say(problems)
        self.private.say({key.removeprefix("private "): words for key, words in problems.items()})
        self.contents_problem.say(problems.get("contents", ""))
        self.parent.problem.say(problems.get("parent", ""))

    def _make(self, form: Form) -> str:
        request = form.request()
        try:
            content = with_names(request.content, {content.path: repr(content.name) for content in form.contents})
            made = self.code.client.create_dicom(content, request.tags, **request.fields)
        except ResponseError as error:
            if name := field_of(error, form):
                self._say({name: words_of(error)})
                self._is_refused = True
                self._focus(name)
            raise
        finally:
            self._is_making = False
            self._enable()
        self.made.append(made)
        self._is_done = True
        self.show_button.offer(lambda: made)
        self._show(made, form, request)
        return f"Created: {made.level.value.lower()} {made.id}"

    def _show(self, made: Instance | Series, form: Form, request: Request) -> None:
        first = made if isinstance(made, Instance) else made.instances[0]
        notes = []
        if lost := not_kept(request, first.all_tags):
            notes.append(f"⚠ Characters were lost in {', '.join(lost)}: the parent's character set lacks them.")
        if unknown := unknown_to_server(form.private, self.client.transport.get(f"{first.path}/tags")):
            words = f"⚠ The server does not know {', '.join(unknown)}: its Dictionary lacks them or their creator."
            notes.append(f"{escape(words)} {snippet_html(form.private)}")
        view = result_view(made, notes, partial(self._delete, made), len(form.contents))
        self._replace_result(view)

    def _replace_result(self, *views: ipywidgets.Widget) -> None:
        if not views:
            self.show_button.offer(None)
        old, self.result.children = self.result.children, views
        for widget in old:
            close_whole(widget)

    def _delete(self, made: Instance | Series) -> None:
        self.act("Deleting", partial(self._delete_now, made))

    def _delete_now(self, made: Instance | Series) -> str:
        coded = self.code.client.series if isinstance(made, Series) else self.code.client.instances
        coded[made.id].delete()
        self.made.remove(made)
        self._replace_result()
        return "Deleted."


def _picture(content: Content) -> str:
    try:
        png = thumbnail(content)
    except ValueError as error:
        return f"<span>{escape(content.name)} {escape(str(error))}</span>"
    name = f'<figcaption style="line-height:1.4">{escape(content.name)}</figcaption>'
    style = "display:inline-block;margin:4px 8px 0 0;padding:2px;border:1px solid #8888"  # for white pictures
    return f'<figure style="{style}">{display.picture(png, content.name)}{name}</figure>'


def _button(words: str, icon: str, tooltip: str, style: str = "") -> ipywidgets.Button:
    return ipywidgets.Button(description=words, icon=icon, tooltip=tooltip, button_style=style)


def _name_of_field(name: str) -> str:
    if name.removeprefix("private ").isdecimal():
        return f"private tag {int(name.removeprefix('private ')) + 1}"
    return {"contents": "the files", "parent": "the parent"}.get(name, name)
