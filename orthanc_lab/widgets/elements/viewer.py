"""A viewer for a stack of slices, with a slider and a window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from orthanc_lab.client import ClientError, UnreachableError
from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.elements.slice_feed import SliceFeed
from orthanc_lab.widgets.elements.slice_image import SliceImage, Window
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Viewer"]


class Viewer(Element, script="viewer"):
    """Shows one slice of a stack; the browser receives the pixel values and applies the window itself.

    So a change of the window takes no message, and each slice is sent only once. Slices near the visible one are sent
    in advance; the memory used in the browser is limited.

    Parameters
    ----------
    failed
        Called with the error if the server does not answer; `resume` continues afterwards.
    budget
        Maximum number of bytes that the browser holds.

    Attributes
    ----------
    count, position
        Number of slices, and the visible one, from 0.
    center, width
        The window.
    caption
        A description of the visible slice, also for screen readers.
    words
        A text shown instead of an image.

    Examples
    --------
    >>> import numpy as np
    >>> viewer = Viewer()
    >>> viewer.show(2, lambda number: SliceImage.of(np.full((4, 4), number)), windows=[Window("All", 1, 2)])
    >>> viewer.wait_until_sent()
    >>> viewer.position = 1
    >>> viewer.center, viewer.count
    (1.0, 2)
    """

    label = traitlets.Unicode("Slices").tag(sync=True)
    words = traitlets.Unicode("Nothing selected").tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    stack = traitlets.Int(0).tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    windows: Any = traitlets.List().tag(sync=True)
    center = traitlets.Float(0).tag(sync=True)
    width = traitlets.Float(1).tag(sync=True)
    low = traitlets.Float(0).tag(sync=True)
    high = traitlets.Float(1).tag(sync=True)
    is_inverted = traitlets.Bool(False).tag(sync=True)
    aspect = traitlets.Float(1).tag(sync=True)

    def __init__(
        self, *, failed: Callable[[ClientError], object] = lambda error: None, budget: int = 96 << 20, **traits: Any
    ) -> None:
        self._failed = failed
        self._budget = budget
        self._lock = threading.Lock()
        self._queue: SerialQueue[None] = SerialQueue()
        self._is_feeding = False
        self._has_listener = False
        self._load: Callable[[int], SliceImage] = lambda number: SliceImage()
        self._feed = SliceFeed(0)
        super().__init__(**traits)
        self.on_msg(self._on_message)
        self.observe(lambda change: self.resume(), "position")

    def show(
        self,
        count: int,
        load: Callable[[int], SliceImage],
        *,
        windows: Sequence[Window],
        position: int = 0,
        is_inverted: bool = False,
        aspect: float = 1.0,
    ) -> None:
        """Replace the stack.

        Parameters
        ----------
        count
            Number of slices.
        load
            Returns a slice; called in a thread.
        windows
            The windows to choose from; the first is applied.
        """
        low = min(window.center - window.width / 2 for window in windows)
        high = max(window.center + window.width / 2 for window in windows)
        with self._lock:
            self._load = load
            self._feed = SliceFeed(count, budget=self._budget)
        with self.hold_sync():
            self.words = ""
            self.stack += 1
            self.count, self.position = count, position
            self.windows = [window.plain() for window in windows]
            self.center, self.width = windows[0].center, windows[0].width
            self.low, self.high = low, high
            self.is_inverted, self.aspect = is_inverted, aspect
        self.resume()

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
        with self._lock:
            self._feed = SliceFeed(0)
        with self.hold_sync():
            self.stack += 1
            self.count = self.position = 0
            self.words = words
            self.caption = ""

    def resume(self) -> None:
        """Send what is missing around the visible slice."""
        with self._lock:
            if self._is_feeding or not self._has_listener:
                return
            self._is_feeding = True
        self._queue.submit(self._feed_all)

    def wait_until_sent(self) -> None:
        """Wait until the browser has all slices around the visible one."""
        self._queue.submit(lambda: None).result()

    def _feed_all(self) -> None:
        while True:
            with self._lock:
                feed, load, stack = self._feed, self._load, self.stack
                number = feed.missing(self.position)
                self._is_feeding = number is not None
            if number is None:
                return
            try:
                picture = self._loaded(load, number)
            except ClientError as error:
                with self._lock:
                    self._is_feeding = False
                self._failed(error)
                return
            with self._lock:
                if feed is self._feed:
                    self._post(feed, stack, number, picture)

    def _loaded(self, load: Callable[[int], SliceImage], number: int) -> SliceImage:
        try:
            return load(number)
        except UnreachableError:
            raise
        except ClientError as error:  # concerns this slice only
            return SliceImage(words=str(error).partition("\n")[0])
        except Exception as error:  # a fault must be visible, and must not stop the other slices
            self.log.exception("A slice failed")
            return SliceImage(words=f"This slice failed: {type(error).__name__}: {error}")

    def _post(self, feed: SliceFeed, stack: int, number: int, picture: SliceImage) -> None:
        dropped = feed.put(self.position, number, max(len(picture.data), 1))
        message = {
            "stack": stack,
            "position": number,
            "rows": picture.rows,
            "columns": picture.columns,
            "kind": picture.kind,
            "step": picture.step,
            "words": picture.words,
            "dropped": dropped,
        }
        self.send(message, [picture.data])

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        with self._lock:  # a page was loaded: its browser holds nothing yet
            self._has_listener = True
            self._feed.forget()
        self.resume()

    def close(self) -> None:
        """Stop sending slices, and remove the viewer from the notebook."""
        self._queue.close()
        super().close()
