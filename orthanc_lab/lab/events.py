"""What happens while the lab runs, in the order in which it is heard of."""

from __future__ import annotations

import queue
import signal
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

__all__ = ["Event", "Events", "Happening"]

_LOOK_FOR_SIGNALS_S = 0.5


class Happening(Enum):
    """The kinds of events."""

    SIGNAL = "somebody pressed Ctrl-C, or sent a signal"
    JUPYTER_READY = "JupyterLab answers"
    JUPYTER_ENDED = "JupyterLab has ended"
    ORTHANC_ENDED = "the server has ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes
    ----------
    text
        The address of what is ready; why something ended, empty if it was asked for.
    """

    kind: Happening
    text: str = ""


class Events:
    """The events of threads and signal handlers, one after the other."""

    def __init__(self) -> None:
        # A SimpleQueue: a handler of signals that puts something in may interrupt its own thread anywhere.
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def happened(self, kind: Happening, text: str = "") -> None:
        """Note an event; may be called from anywhere."""
        self._queue.put(Event(kind, text))

    def listen_to_signals(self) -> None:
        """Take Ctrl-C, SIGTERM and the end of the terminal as events; for the main thread."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, lambda *_: self.happened(Happening.SIGNAL))

    def next(self) -> Event:
        """Wait for the next event."""
        while True:
            # With a timeout: a signal that comes just before this wait does not end it, and its handler runs
            # only in the main thread.
            with suppress(queue.Empty):
                return self._queue.get(timeout=_LOOK_FOR_SIGNALS_S)
