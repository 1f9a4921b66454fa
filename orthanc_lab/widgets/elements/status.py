"""The line of a panel that says how things are: what is done, what went wrong, what to do next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import traitlets

from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.widgets.elements.element import Element
from orthanc_lab.widgets.kernel_loop import when_kernel_is_free

__all__ = ["Status"]

LEASE = 90.0  # seconds after which a browser that gives no sign of life (every 20 s) is gone


class Status(Element, script="status"):
    """One message, which a screen reader reads when it changes; it also knows whether a browser shows it.

    The count of views that ipywidgets keeps is wrong after a page was reloaded, or closed without a farewell: so each
    view says that it is there, again and again.

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
        self, clock: Clock | None = None, when_free: Callable[[Callable[[], None]], None] = when_kernel_is_free
    ) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._when_free = when_free
        self._is_asking = False
        self._views: dict[str, float] = {}  # when each was heard last
        self._lock = threading.RLock()
        self.on_msg(self._hear)

    def say(self, text: str) -> None:
        """Show a message."""
        self._show(text, False)

    def warn(self, text: str) -> None:
        """Show that something went wrong."""
        self._show(text, True)

    def clear(self) -> None:
        """Show nothing."""
        self._show("", False)

    def _show(self, text: str, is_warning: bool) -> None:
        with self._lock, self.hold_sync():  # one message; none for an equal text
            self.text, self.is_warning = text, is_warning

    def _hear(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        with self._lock:
            if content["here"]:
                self._views[content["view"]] = self._clock.monotonic()
            else:
                self._views.pop(content["view"], None)
            self.is_seen = bool(self._views)

    def forget_silent_views(self) -> None:
        """Count no more the views that have given no sign of life, unless the kernel was too busy to hear it."""
        with self._lock:
            if self._is_asking or not self._silent():
                return
            self._is_asking = True
        self._when_free(self._forget)

    def _silent(self) -> list[str]:
        oldest = self._clock.monotonic() - LEASE
        return [view for view, heard in self._views.items() if heard < oldest]

    def _forget(self) -> None:
        with self._lock:
            self._is_asking = False
            for view in self._silent():
                del self._views[view]
            self.is_seen = bool(self._views)
