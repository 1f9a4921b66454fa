"""A stack of slices with a slider and a window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from orthanc_lab.client import ClientError, UnreachableError
from orthanc_lab.widgets.browser.pictures import Picture, Window
from orthanc_lab.widgets.browser.slice_feed import SliceFeed
from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["Viewer"]


class Viewer(Element, script="viewer"):
    """Shows one slice of a stack; the values come to the browser, which draws them by the window.

    So a change of the window costs no message, and a slice is sent once. The neighbours of the slice in view are sent
    ahead; how much the browser holds is bounded.

    Parameters
    ----------
    failed
        Called with the error when the server does not answer; `resume` goes on afterwards.
    budget
        Bytes that the browser holds at most.

    Attributes
    ----------
    count, position
        Number of slices, and which is in view, from 0.
    center, width
        The window.
    caption
        What is in view, for people who cannot see it, too.
    words
        Shown instead of a picture.

    Examples
    --------
    >>> import numpy as np
    >>> viewer = Viewer()
    >>> viewer.show(2, lambda number: Picture.of(np.full((4, 4), number)), windows=[Window("All", 1, 2)])
    >>> viewer.settle()
    >>> viewer.position = 1
    >>> viewer.center, viewer.count
    (1.0, 2)
    """

    label = traitlets.Unicode("Slices").tag(sync=True)
    words = traitlets.Unicode("Nothing is picked").tag(sync=True)
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
        self._load: Callable[[int], Picture] = lambda number: Picture()
        self._feed = SliceFeed(0)
        super().__init__(**traits)
        self.on_msg(self._on_message)
        self.observe(lambda change: self.resume(), "position")

    def show(
        self,
        count: int,
        load: Callable[[int], Picture],
        *,
        windows: Sequence[Window],
        position: int = 0,
        is_inverted: bool = False,
        aspect: float = 1.0,
    ) -> None:
        """Show another stack.

        Parameters
        ----------
        count
            Number of slices.
        load
            Returns one of them; called in a thread.
        windows
            To choose from; the first is taken.
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

    def clear(self, words: str) -> None:
        """Show words instead of a picture."""
        with self._lock:
            self._feed = SliceFeed(0)
        with self.hold_sync():
            self.stack += 1
            self.count = self.position = 0
            self.words = words
            self.caption = ""

    def resume(self) -> None:
        """Send what is missing around the slice in view."""
        with self._lock:
            if self._is_feeding or not self._has_listener:
                return
            self._is_feeding = True
        self._queue.submit(self._feed_all)

    def settle(self) -> None:
        """Wait until nothing is missing."""
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

    def _loaded(self, load: Callable[[int], Picture], number: int) -> Picture:
        try:
            return load(number)
        except UnreachableError:
            raise
        except ClientError as error:  # this slice alone
            return Picture(words=str(error).partition("\n")[0])
        except Exception as error:  # a fault must be seen, and must not end the feeding
            self.log.exception("A picture failed")
            return Picture(words=f"This picture failed: {type(error).__name__}: {error}")

    def _post(self, feed: SliceFeed, stack: int, number: int, picture: Picture) -> None:
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
        with self._lock:  # a page was loaded: its browser holds nothing
            self._has_listener = True
            self._feed.forget()
        self.resume()

    def close(self) -> None:
        """Send nothing more, and remove it from the notebook."""
        self._queue.close()
        super().close()
