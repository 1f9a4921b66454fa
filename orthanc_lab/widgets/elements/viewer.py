"""A viewer for stacks of slices: window, zoom, measurements, cine, two series, three planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import traitlets

from orthanc_lab.client import ClientError, display
from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.elements.slice_image import SliceImage, ViewedStack, Window
from orthanc_lab.widgets.elements.slice_sender import SliceSender

__all__ = ["Viewer"]

_PARTS = (
    "geometry",
    "volume",
    "measuring",
    "painting",
    "words",
    "transform",
    "store",
    "annotations",
    "pane",
    "scenes",
    "cine",
    "teller",
    "pointer",
    "desk",
    "controls",
    "board",
)
_WIDEST = 384  # pixels of a picture in a saved notebook
_NOTHING = ViewedStack(0, lambda number: SliceImage(), [Window("", 0, 1)])


class Viewer(Element, script="viewer", parts=[f"viewer_parts/{name}" for name in _PARTS]):
    """Shows a stack of slices, and beside it or over it a second one; the browser receives values and draws them.

    So a change of the window, a zoom, a measurement or a slice that is there already takes no message, and each slice
    is sent only once. Slices near the visible one are sent in advance; the memory used in the browser is limited.

    Parameters
    ----------
    failed
        Called with the error if the server does not answer; `resume` continues afterwards.
    budget
        Maximum number of bytes of each stack that the browser holds.

    Attributes
    ----------
    count, position
        Number of slices, and the visible one, from 0.
    center, width
        The window.
    words
        A text shown instead of an image.
    choices
        The series that can be compared with this one: id and label of each.
    compared
        Id of the series that the user has chosen to compare, "" for none; who observes it calls `compare`.

    Examples
    --------
    >>> import numpy as np
    >>> viewer = Viewer()
    >>> load = lambda number: SliceImage.of(np.full((4, 4), number))
    >>> viewer.show(ViewedStack(2, load, [Window("All", 1, 2)]))
    >>> viewer.wait_until_sent()
    >>> viewer.position = 1
    >>> viewer.center, viewer.count, viewer.caption
    (1.0, 2, 'Slice 2 of 2')
    """

    label = traitlets.Unicode("Slices").tag(sync=True)
    words = traitlets.Unicode("Nothing selected").tag(sync=True)
    stack = traitlets.Int(0).tag(sync=True)
    about: Any = traitlets.Dict().tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    windows: Any = traitlets.List().tag(sync=True)
    center = traitlets.Float(0).tag(sync=True)
    width = traitlets.Float(1).tag(sync=True)
    low = traitlets.Float(0).tag(sync=True)
    high = traitlets.Float(1).tag(sync=True)
    choices: Any = traitlets.List().tag(sync=True)
    compared = traitlets.Unicode().tag(sync=True)
    second: Any = traitlets.Dict({"stack": 0, "count": 0}).tag(sync=True)
    second_windows: Any = traitlets.Dict({"windows": [], "low": 0, "high": 1}).tag(sync=True)
    second_position = traitlets.Int(0).tag(sync=True)

    def __init__(
        self, *, failed: Callable[[ClientError], object] = lambda error: None, budget: int = 256 << 20, **traits: Any
    ) -> None:
        self._shown = _NOTHING
        self._numbers = 0
        self._senders = [SliceSender(partial(self._send_slice, layer), failed, budget) for layer in (0, 1)]
        super().__init__(**traits)
        self.on_msg(self._on_message)
        self.observe(lambda change: self._senders[0].move(change["new"]), "position")
        self.observe(lambda change: self._senders[1].move(change["new"]), "second_position")

    @property
    def caption(self) -> str:
        """Description of the visible slice; "" without one."""
        return self._shown.caption(self.position) if self.count else ""

    def snapshot(self) -> str:
        """Return the visible slice as HTML, as it looks in one piece and without what the user has drawn on it.

        Raises
        ------
        ClientError
            If the server does not answer.
        """
        from orthanc_lab.widgets.elements.slice_picture import png_of  # noqa: PLC0415 - loads Pillow

        if not self.count:
            return ""
        image = self._shown.load(self.position)
        png = png_of(image, self.center, self.width, is_inverted=self._shown.is_inverted)
        words = f"{self._shown.title} · {self.caption}".removeprefix(" · ")
        return f"<div>{display.picture(png, words, wide=_WIDEST)}</div>{display.paragraph(words)}"

    def show(self, stack: ViewedStack, position: int = 0) -> None:
        """Replace the stack, and compare it with no other."""
        self.compare("", None)
        low, high = _ends(stack.windows)
        self._shown = stack
        self._senders[0].show(self._next(), stack.count, stack.load, position)
        with self.hold_sync():
            self.words = ""
            self.stack = self._numbers
            self.about = stack.plain()
            self.count, self.position = stack.count, position
            self.windows = [window.plain() for window in stack.windows]
            self.center, self.width = stack.windows[0].center, stack.windows[0].width
            self.low, self.high = low, high
        self.resume()

    def compare(self, id: str, stack: ViewedStack | None) -> None:
        """Show a second stack, of the series `id`, in all arrangements of two; None for none."""
        shown = stack or _NOTHING
        self._senders[1].show(self._next(), shown.count, shown.load, self.second_position)
        low, high = _ends(shown.windows)
        with self.hold_sync():
            self.compared = id
            self.second = {"stack": self._numbers, "count": shown.count, "about": shown.plain()}
            windows = [window.plain() for window in shown.windows]
            self.second_windows = {"windows": windows, "low": low, "high": high}
        self.resume()

    def widen_second(self, window: Window) -> None:
        """Replace the window of the same name of the second stack; where that one is applied, the new one is."""
        old = self.second_windows
        self.second_windows = {
            "windows": [window.plain() if each["name"] == window.name else each for each in old["windows"]],
            "low": min(old["low"], window.center - window.width / 2),
            "high": max(old["high"], window.center + window.width / 2),
        }

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def widen(self, window: Window) -> None:
        """Replace the window of the same name; if that one is applied, the new one is."""
        old = next((each for each in self.windows if each["name"] == window.name), None)
        if old is None:
            return
        with self.hold_sync():
            is_applied = (self.center, self.width) == (old["center"], old["width"])
            self.windows = [window.plain() if each is old else each for each in self.windows]
            self.low = min(self.low, window.center - window.width / 2)
            self.high = max(self.high, window.center + window.width / 2)
            if is_applied:
                self.center, self.width = window.center, window.width

    def clear(self, words: str) -> None:
        """Show a text instead of an image."""
        with self.hold_sync():
            self.show(_NOTHING)
            self.words = words

    def resume(self) -> None:
        """Send what is missing around the visible slices."""
        for sender in self._senders:
            sender.resume()

    def wait_until_sent(self) -> None:
        """Wait until the browser has all slices around the visible ones."""
        for sender in self._senders:
            sender.wait_until_sent()

    def _send_slice(self, layer: int, told: dict[str, Any], data: bytes) -> None:
        self.send({"layer": layer, **told}, [data])

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        if content["kind"] == "hello":
            for sender in self._senders:
                sender.listen()
        elif content["kind"] == "got":
            self._senders[content["layer"]].confirm(content["sent"])
        elif content["kind"] == "whole":
            self._senders[content["layer"]].want_whole(content["is_wanted"])

    def close(self) -> None:
        """Stop sending slices, and remove the viewer from the notebook."""
        for sender in self._senders:
            sender.close()
        super().close()


def _ends(windows: Sequence[Window]) -> tuple[float, float]:
    """Return the lowest and the highest value in any of the windows."""
    return (
        min(window.center - window.width / 2 for window in windows),
        max(window.center + window.width / 2 for window in windows),
    )
