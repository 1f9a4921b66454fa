"""Browsing the stored resources: the images and tags of what is picked in a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import ipywidgets

from orthanc_lab.client import (
    Client,
    ClientError,
    Instance,
    NotFoundError,
    Patient,
    Resource,
    ResponseError,
    Series,
    Study,
)
from orthanc_lab.client.display import plain
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.browser.comparison import Comparison
from orthanc_lab.widgets.browser.document_view import DocumentView
from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.browser.label_editor import LabelEditor
from orthanc_lab.widgets.browser.slice_stack import SliceStack, reason_without_image, values_by_keyword
from orthanc_lab.widgets.browser.study_list import StudyList
from orthanc_lab.widgets.browser.tag_rows import tag_rows
from orthanc_lab.widgets.browser.tag_view import TagView
from orthanc_lab.widgets.browser.use_buttons import UseButtons
from orthanc_lab.widgets.browser.windows import ValueRange
from orthanc_lab.widgets.code.spoken import read
from orthanc_lab.widgets.elements.gallery import Gallery, GalleryItem
from orthanc_lab.widgets.elements.slice_image import Values
from orthanc_lab.widgets.elements.viewer import Viewer
from orthanc_lab.widgets.folds import Folds
from orthanc_lab.widgets.latest import Latest
from orthanc_lab.widgets.resource_branches import lineage, study_words
from orthanc_lab.widgets.resources_panel import ResourcesPanel
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["BrowserPanel"]

_MOST_SERIES = 40  # in the gallery
_READ = {Level.PATIENT: "studies", Level.STUDY: "series", Level.SERIES: "instances", Level.INSTANCE: "all_tags"}
_SAMPLE = 25  # slices of a long stack that are looked at for the range of its values


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """What the gallery shows of a series that has these instances."""

    below: tuple[str, ...] = ()
    png: bytes = b""
    words: str = ""


class BrowserPanel(ResourcesPanel):
    """Pick a patient, study, series or instance to see its images and its tags.

    The viewer tells values and places, measures, plays, and shows two series or three planes.

    Attributes
    ----------
    gallery
        A thumbnail of each series of the study.
    studies
        The table of studies.
    viewer
        The slices of the series.
    comparison
        The series beside or over it.
    tags, tag_search
        The table of tags, and the field that searches it.
    pdf, document
        An encapsulated PDF, and the button for downloading it.

    Examples
    --------
    >>> panel = BrowserPanel(client)
    >>> panel.tree.current = panel.tree.level()[0].id
    >>> panel.wait_until_shown()
    >>> panel.gallery.items[0]["label"]
    'CT · Soft tissue'
    >>> panel.gallery.current = panel.gallery.items[0]["id"]
    >>> panel.wait_until_shown()
    >>> panel.viewer.caption
    'Slice 11 of 20 · instance 11'
    """

    title = "Browser"
    lowest = Level.INSTANCE

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(client, **options)
        self._stack: SliceStack | None = None
        self._series = ""  # the series whose slices are shown
        self._study = ""  # the resource whose series are in the gallery
        self._thumbnails: dict[str, _Thumbnail] = {}  # by series
        self._picks = Latest()
        self._show_queue: SerialQueue[object] = SerialQueue()
        self._tag_queue: SerialQueue[object] = SerialQueue()
        self._sample_queue: SerialQueue[object] = SerialQueue()
        self.heading = ipywidgets.HTML()
        self._uses: Mapping[str, Callable[[Resource], object]] = {}
        self.use_buttons = UseButtons(self.use)
        self.gallery = Gallery(label="Series")
        self.viewer = Viewer(failed=lambda error: self.status.warn(f"Showing: {error}"))
        self.comparison = Comparison(self.poll_client, self.viewer, self._numbered_tags, self.attempt)
        self._document = DocumentView(self.poll_client, self.guard)
        self.pdf, self.document = self._document.pdf, self._document.download
        self.studies = StudyList(self.poll_client, self.attempt, self._pick_study)
        self.labels = LabelEditor(add=self.add_label, remove=self.remove_label)
        self.tag_view = TagView(self.poll_client, self.guard)
        self.tags, self.tag_search = self.tag_view.table, self.tag_view.search
        self._lay_out()
        self.tree.observe(lambda change: self._pick(), "current")
        self.gallery.observe(lambda change: self._pick_series(change["new"]), "current")
        self.viewer.observe(lambda change: self._follow_slice(), "position")
        self.refresh()

    def _lay_out(self) -> None:
        left = ipywidgets.VBox([self.search_and_tree()], layout={"flex": "1 1 300px", "min_width": "0"})
        right = ipywidgets.VBox(
            [self.heading, self.use_buttons, self.labels, self.gallery, self.viewer, self._document],
            layout={"flex": "2 1 400px", "min_width": "0"},
        )
        both = ipywidgets.HBox([left, right], layout={"flex_flow": "row wrap", "grid_gap": "8px"})
        both.add_class("orthanc-beside")  # the tree may be as high as the viewer
        self.studies_part = Folds([self.studies], ["Studies"])
        self.studies_part.observe(lambda change: self._list_studies(), "selected_index")
        self.body.children = [self.studies_part, both, self.tag_view]

    def wait_until_shown(self) -> None:
        """Wait until what was picked is shown."""
        for queue in (self._show_queue, self._tag_queue, self._sample_queue):
            queue.submit(lambda: None).result()
        self.comparison.wait_until_shown()

    # -- from and to other panels ---------------------------------------------------

    def show_resource(self, resource: Resource) -> None:
        """Pick a resource of the server; where its patient is not among those listed, its study is sought.

        Raises
        ------
        NotFoundError
            If it has been deleted.
        """
        line = lineage(resource.refresh())
        self.refresh()
        for text in ("", line[1].StudyInstanceUID if len(line) > 1 else ""):
            if self.tree.node(line[0].id) is not None:
                break
            self.search.value = text
            self.wait_until_found()
        with self._turn:
            self.learn(line)
            self.tree.opened = list(dict.fromkeys([*self.tree.opened, *(one.id for one in line[:-1])]))
            self.tree.current = resource.id

    def connect(self, uses: Mapping[str, Callable[[Resource], object]]) -> None:
        """Offer to use what is picked in other panels, by their titles."""
        self._uses = uses
        self.use_buttons.offer(uses)

    def use(self, title: str) -> Any:
        """Use what is picked in another panel of the dashboard."""
        resource = self.branches.resource(self.tree.current)
        return self.act(f"To {title}", partial(self._use, title, resource))

    def _use(self, title: str, resource: Resource | None) -> None:
        if resource is not None:
            self._uses[title](resource)

    # -- picking --------------------------------------------------------------------

    def _list_studies(self) -> None:
        if self.studies_part.selected_index is not None:
            self.studies.reload()

    def _pick_study(self, study: Study) -> None:
        if self.tree.current != study.id:
            self._show_queue.submit(lambda: self.attempt(partial(self.show_resource, study), "Showing"))

    def _pick_series(self, id: str) -> None:
        if id and id != self._series:
            self.tree.current = id

    def _pick(self) -> None:
        pick = self._picks.begin()
        resource = self.branches.resource(self.tree.current)
        self.use_buttons.show(resource is not None)
        if resource is None:
            self._series = self._study = ""
            self._stack = None
            self.heading.value = ""
            self.labels.show(None)
            self.gallery.show([])
            self._show_nothing("Nothing selected")
            self.tag_view.show(None, [])
        else:
            action = partial(self._show, pick, resource)
            self._show_queue.submit(lambda: self.attempt(action, "Showing"))

    def _show(self, pick: int, resource: Resource) -> None:
        if not self._picks.is_latest(pick):
            return
        self.labels.show(resource.labels)
        below = self._read(resource)
        if isinstance(resource, Instance):
            series, start = resource.series, resource.id
        elif isinstance(resource, Series):
            series, start = resource, ""
        else:
            self._show_container(pick, resource)
            return
        study = series.study
        self._open_branches_of(study)
        if self._series != series.id:
            self._show_stack(pick, study, series, series.instances if start else below, start)
        elif start and self._stack is not None:
            self.viewer.position = self._stack.find(start) or 0
        self._show_gallery(pick, study, series.id)

    def _read(self, resource: Resource) -> Any:
        """Return what is below a resource that was picked, or its tags: the code that is shown does so, too."""
        with self.coding(self.looks):
            try:
                return read(getattr(self.looks.client, resource.level.plural)[resource.id], _READ[resource.level])
            except KeyError:
                return getattr(resource, _READ[resource.level])  # raises that it has been deleted

    def _open_branches_of(self, study: Study) -> None:
        """Show in the tree where a series is that was picked elsewhere, if its patient is listed."""
        above = [study.patient.id, study.id]
        closed = [id for id in above if id not in self.tree.opened]
        if closed and self.tree.node(above[0]) is not None:
            self.tree.opened = [*self.tree.opened, *closed]

    def _show_container(self, pick: int, resource: Resource) -> None:
        document = self.poll_client.transport.get(resource.path, {"full": ""})
        self._stack, self._series = None, ""
        self.heading.value = _title(
            self.branches.name(resource.id) if isinstance(resource, Patient) else study_words(resource)
        )
        self._show_nothing("Select a series")
        self.tag_view.show(None, tag_rows({**document.get("PatientMainDicomTags", {}), **document["MainDicomTags"]}))
        self._show_gallery(pick, resource, "")

    def _show_stack(
        self,
        pick: int,
        study: Study,
        series: Series,
        instances: Sequence[Instance],
        start: str = "",
        *,
        position: int | None = None,
    ) -> None:
        stack = SliceStack(self.poll_client, instances, self._numbered_tags)
        if not stack.slices:
            return
        if position is None:
            position = (stack.find(start) or 0) if start else len(stack.slices) // 2
        position = min(position, len(stack.slices) - 1)
        tags = self._tags_of(stack.instance(position))
        values = values_by_keyword(tags)
        if not self._picks.is_latest(pick):
            return
        self._stack, self._series = stack, series.id
        self.branches.learn([series])
        self.heading.value = _title(study_words(study), self.branches.name(series.id))
        self.tag_view.show(stack.instance(position), tag_rows(tags))
        words = reason_without_image(values)
        if not words:
            words = self._show_images(stack, position, tags)
        if words:
            self._show_nothing(words, has_document=words.startswith("Encapsulated PDF"))

    def _show_images(self, stack: SliceStack, position: int, tags: dict[str, Any]) -> str:
        header = Header(tags)
        stack.learn(stack.instance(position), header)
        span = ValueRange(values_by_keyword(tags))
        stack.seen = span.add
        try:
            stack.values(position)
        except ResponseError as error:
            if not stack.instance(position).exists():
                raise
            return f"The server cannot render this: {str(error).splitlines()[0]}"
        self._show_document(False)
        title = self.branches.name(self._series)
        self.viewer.show(stack.viewed(header, position, title=title, all_values=span.window), position)
        stack.seen = partial(self._widen, stack, span)
        if len(stack.slices) > _SAMPLE:  # of fewer slices the viewer loads all
            pick = self._picks.number
            self._sample_queue.submit(lambda: self._sample(pick, stack))
        return ""

    def _widen(self, stack: SliceStack, span: ValueRange, values: Values) -> None:
        if span.add(values) and stack is self._stack:
            self.viewer.widen(span.window)

    def _sample(self, pick: int, stack: SliceStack) -> None:
        for position in stack.sample(_SAMPLE):
            if not self._picks.is_latest(pick):
                return
            with suppress(ClientError):  # the viewer says so when it comes to this slice
                stack.values(position)

    def _show_nothing(self, words: str, *, has_document: bool = False) -> None:
        self.viewer.clear(words)
        self._show_document(has_document)

    def _show_gallery(self, pick: int, resource: Resource, current: str) -> None:
        if self._study != resource.id:
            studies = resource.studies if isinstance(resource, Patient) else [resource]
            series = [one for study in studies if isinstance(study, Study) for one in study.series][:_MOST_SERIES]
            self.branches.learn(series)
            known = {one.id: self._thumbnails[one.id] for one in series if one.id in self._thumbnails}
            self._thumbnails = known
            self._draw_gallery(series)
            self.gallery.current = current
            for one in series:
                if not self._picks.is_latest(pick):
                    return
                below = tuple(one.document["Instances"])
                if one.id not in known or known[one.id].below != below:
                    known[one.id] = self._thumbnail(below)
            self._study = resource.id
            self._draw_gallery(series)
        elif self._series:
            self.comparison.offer({item["id"]: item["label"] for item in self.gallery.items}, self._series)
        self.gallery.current = current

    def _draw_gallery(self, series: list[Series]) -> None:
        self.comparison.offer({one.id: self.branches.name(one.id) for one in series}, self._series)
        thumbnails = [self._thumbnails.get(one.id, _Thumbnail()) for one in series]
        self.gallery.show(
            [
                GalleryItem(one.id, self.branches.name(one.id), thumbnail.png, thumbnail.words)
                for one, thumbnail in zip(series, thumbnails, strict=True)
            ]
        )

    def _thumbnail(self, below: tuple[str, ...]) -> _Thumbnail:
        if not below:
            return _Thumbnail()
        instance = Instance(self.poll_client.transport, below[len(below) // 2])
        png, words = instance.thumbnail(96), ""
        if not png:
            with suppress(NotFoundError):  # deleted in the meantime: the next look at the changes says so
                words = reason_without_image(values_by_keyword(self._numbered_tags(instance))) or "No picture"
        return _Thumbnail(below, png, words)

    # -- slices and tags ------------------------------------------------------------

    def _follow_slice(self) -> None:
        stack, position = self._stack, self.viewer.position
        if stack is None or position >= len(stack.slices):
            return
        instance = stack.instance(position)
        if instance != self.tag_view.instance:
            self._tag_queue.submit(lambda: self.attempt(partial(self._show_tags, stack, instance), "Reading the tags"))

    def _show_tags(self, stack: SliceStack, instance: Instance) -> None:
        position = self.viewer.position
        if stack is self._stack and instance == stack.instance(position):  # else the slider has moved on
            self.tag_view.show(instance, tag_rows(self._tags_of(instance)))

    def _tags_of(self, instance: Instance) -> dict[str, Any]:
        return {**self.poll_client.transport.get(f"{instance.path}/header"), **self._numbered_tags(instance)}

    def _numbered_tags(self, instance: Instance) -> dict[str, Any]:
        return dict(self.poll_client.transport.get(f"{instance.path}/tags"))

    def _show_document(self, has_document: bool) -> None:
        is_shown = self._document.show(self.tag_view.instance if has_document else None)
        self.viewer.layout.display = "none" if is_shown else None

    # -- labels ---------------------------------------------------------------------

    def add_label(self, label: str) -> Any:
        """Add a label to what is picked."""
        return self._change_label(f"Adding the label {label}", "add_label", label)

    def remove_label(self, label: str) -> Any:
        """Remove a label of what is picked."""
        return self._change_label(f"Removing the label {label}", "remove_label", label)

    def _change_label(self, doing: str, action: str, label: str) -> Any:
        return self.act(doing, partial(self._labelled, self.branches.resource(self.tree.current), action, label))

    def _labelled(self, resource: Resource | None, action: str, label: str) -> None:
        if resource is not None:
            getattr(getattr(self.code.client, resource.level.plural)[resource.id], action)(label)
            if self.tree.current == resource.id:
                self.labels.show(resource.labels)

    # -- changes on the server ------------------------------------------------------

    def changed(self, gone: set[str]) -> None:  # noqa: D102 - see ResourcesPanel
        self._study = ""
        self._list_studies()
        resource = self.branches.resource(self.tree.current)
        if resource is not None and self._picks.number:
            action = partial(self._show_changes, self._picks.number, resource)
            self._show_queue.submit(lambda: self.attempt(action, "Showing"))

    def _show_changes(self, pick: int, resource: Resource) -> None:
        if not self._picks.is_latest(pick):
            return
        if self._series and self._stack is not None:
            series = Series(self.poll_client.transport, self._series)
            study = series.study
            instances = series.instances
            if [instance.id for instance in instances] != self._stack.ids:
                self._show_stack(pick, study, series, instances, position=self.viewer.position)
            self._show_gallery(pick, study, series.id)
        else:
            self._show_gallery(pick, resource, "")

    def show_away(self) -> None:  # noqa: D102 - see Panel
        super().show_away()
        if not self.is_away:
            self.viewer.resume()

    def snapshot(self) -> str:  # noqa: D102 - see Panel
        html = f"{super().snapshot()}{self.heading.value}"
        with suppress(ClientError):  # a server that is away gives no picture
            html += self.viewer.snapshot()
        return html

    def close(self) -> None:  # noqa: D102 - see Panel
        self.comparison.close()
        for queue in (self._show_queue, self._tag_queue, self._sample_queue):
            queue.close()
        self.studies.close()
        super().close()


def _title(*words: str) -> str:
    text = plain(" · ".join(word for word in words if word))
    return f'<strong style="display:block;line-height:1.4;overflow-wrap:anywhere">{text}</strong>'
