"""Commands that run until a signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ended_by_signals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Return an event that Ctrl-C and SIGTERM set; what they did before, they do again afterwards."""
    ended = threading.Event()
    before = [signal.signal(number, lambda *_: ended.set()) for number in _SIGNALS]
    try:
        yield ended
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)
