"""The status line of a panel: what was done, what went wrong, what to do next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import traitlets

from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.elements.element import Element

__all__ = ["Status"]

LEASE = 90.0  # seconds without a message (one comes every 20 s) after which a view counts as closed
_BACKLOG = 5.0  # seconds for handling the messages that arrived while a cell was running


class _EventLoop:
    """The event loop of the kernel, which runs in the thread that makes the widget; none outside a kernel."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def when_free(self, action: Callable[[], None]) -> None:
        """Call `action` once no cell is running and the waiting messages were handled; at once outside a kernel."""
        loop = self._loop
        if loop is None or loop.is_closed():
            action()
        else:
            loop.call_soon_threadsafe(loop.call_later, _BACKLOG, action)


class Status(Element, script="status"):
    """One message, which screen readers announce when it changes; it also knows whether a browser shows it.

    The count of views that ipywidgets keeps is wrong after a page was reloaded, or closed abruptly. So each view
    reports regularly that it is there.

    Attributes
    ----------
    text
        The message.
    is_warning
        Whether something went wrong.
    is_seen
        Whether a browser shows it.

    Examples
    --------
    >>> status = Status()
    >>> status.warn("No Orthanc answers at http://localhost:8042")
    >>> status.text, status.is_warning
    ('No Orthanc answers at http://localhost:8042', True)
    """

    text = traitlets.Unicode().tag(sync=True)
    is_warning = traitlets.Bool(False).tag(sync=True)
    is_seen = traitlets.Bool(False)

    def __init__(
        self, clock: Clock | None = None, when_free: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._when_free = when_free or _EventLoop().when_free
        self._is_asking = False
        self._views: dict[str, float] = {}  # time of the last message from each
        self._lock = threading.RLock()
        self.on_msg(self._on_message)

    def say(self, text: str) -> None:
        """Show a message."""
        self._show(text, False)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._show(text, True)

    def clear(self) -> None:
        """Remove the message."""
        self._show("", False)

    def _show(self, text: str, is_warning: bool) -> None:
        with self._lock, self.hold_sync():  # one message; none for an equal text
            self.text, self.is_warning = text, is_warning

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        with self._lock:
            if content["here"]:
                self._views[content["view"]] = self._clock.monotonic()
            else:
                self._views.pop(content["view"], None)
            self.is_seen = bool(self._views)

    def drop_silent_views(self) -> None:
        """Stop counting views that no longer report, unless the kernel was too busy to notice."""
        with self._lock:
            if self._is_asking or not self._silent():
                return
            self._is_asking = True
        self._when_free(self._drop)

    def _silent(self) -> list[str]:
        oldest = self._clock.monotonic() - LEASE
        return [view for view, heard in self._views.items() if heard < oldest]

    def _drop(self) -> None:
        with self._lock:
            self._is_asking = False
            for view in self._silent():
                del self._views[view]
            self.is_seen = bool(self._views)
