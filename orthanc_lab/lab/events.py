"""What happens while the lab is running, in order of arrival."""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from orthanc_lab.protocol.signals import FirstAsks, listen

__all__ = ["Event", "Events", "Happening"]

_SIGNAL_INTERVAL_S = 0.5


class Happening(Enum):
    """The kinds of events."""

    SIGNAL = "Ctrl-C, or another signal"
    JUPYTER_READY = "JupyterLab responds"
    JUPYTER_ENDED = "JupyterLab has stopped"
    ORTHANC_ENDED = "the server has stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes
    ----------
    text
        The address of what is ready; or the reason why something stopped, empty if that was requested.
    """

    kind: Happening
    text: str = ""


class Events:
    """The events from threads and signal handlers, one after another."""

    def __init__(self) -> None:
        # A SimpleQueue, because a signal handler that puts something in may interrupt its own thread anywhere.
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def happened(self, kind: Happening, text: str = "") -> None:
        """Record an event; may be called from anywhere."""
        self._queue.put(Event(kind, text))

    def listen_to_signals(self) -> None:
        """Turn Ctrl-C, SIGTERM and the closing of the terminal into events; call it from the main thread."""
        listen(FirstAsks(lambda number: self.happened(Happening.SIGNAL)))

    def next(self) -> Event:
        """Wait for the next event."""
        while True:
            # With a timeout, because a signal that arrives just before this wait does not interrupt it, and its
            # handler runs only in the main thread.
            with suppress(queue.Empty):
                return self._queue.get(timeout=_SIGNAL_INTERVAL_S)
