"""The second series of a viewer, which is loaded when the user chooses one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orthanc_lab.client import Client, Instance, Series
from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.browser.slice_stack import SliceStack, reason_without_image, values_by_keyword
from orthanc_lab.widgets.browser.windows import ValueRange
from orthanc_lab.widgets.elements.slice_image import Values, ViewedStack
from orthanc_lab.widgets.elements.viewer import Viewer
from orthanc_lab.widgets.latest import Latest
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Comparison"]

_SAMPLE = 9  # slices that are looked at for the range of the values


class Comparison:
    """Offers the other series of a study, and shows the chosen one beside or over the first.

    Parameters
    ----------
    client
        Reads the series.
    viewer
        Shows them.
    read_tags
        Returns the tags of an instance, by number.
    attempt
        Runs an action and reports its errors.
    """

    def __init__(
        self,
        client: Client,
        viewer: Viewer,
        read_tags: Callable[[Instance], Mapping[str, Any]],
        attempt: Callable[[Callable[[], None], str], object],
    ) -> None:
        self._client = client
        self._viewer = viewer
        self._read_tags = read_tags
        self._attempt = attempt
        self._labels: dict[str, str] = {}
        self._picks = Latest()
        self._shown = ""
        self._queue: SerialQueue[object] = SerialQueue()
        viewer.observe(lambda change: self._pick(change["new"]), "compared")

    def offer(self, labels: Mapping[str, str], first: str) -> None:
        """Offer series, by id, beside the `first` one."""
        self._labels = {id: label for id, label in labels.items() if id != first}
        self._viewer.choices = [{"id": id, "label": label} for id, label in self._labels.items()]

    def wait_until_shown(self) -> None:
        """Wait until the chosen series is shown."""
        self._queue.submit(lambda: None).result()

    def close(self) -> None:
        """Load nothing more."""
        self._queue.close()

    def _pick(self, id: str) -> None:
        pick = self._picks.begin()
        if id != self._shown:
            self._queue.submit(lambda: self._attempt(lambda: self._show(pick, id), "Comparing"))

    def _show(self, pick: int, id: str) -> None:
        stack = None
        try:
            stack = self._load(pick, id) if id in self._labels else None
        finally:
            self._compare(pick, id, stack)

    def _compare(self, pick: int, id: str, stack: ViewedStack | None) -> None:
        if self._picks.is_latest(pick):
            self._shown = id if stack else ""
            self._viewer.compare(self._shown, stack)

    def _load(self, pick: int, id: str) -> ViewedStack | None:
        stack = SliceStack(self._client, Series(self._client.transport, id).instances, self._read_tags)
        if not stack.slices:
            return None
        middle = len(stack.slices) // 2
        instance = stack.instance(middle)
        tags = self._read_tags(instance)
        values = values_by_keyword(tags)
        if words := reason_without_image(values):
            raise ValueError(words)
        header = Header(tags)
        stack.learn(instance, header)
        span = ValueRange(values)
        for position in stack.sample(_SAMPLE):
            span.add(stack.values(position))
        stack.seen = lambda values: self._widen(pick, span, values)
        return stack.viewed(header, middle, title=self._labels[id], all_values=span.window)

    def _widen(self, pick: int, span: ValueRange, values: Values) -> None:
        if span.add(values) and self._picks.is_latest(pick):
            self._viewer.widen_second(span.window)
