"""Waiting for what another thread or process does: a look again and again, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["until"]

Value = TypeVar("Value")

_PAUSES = (0.002, 0.05)  # seconds between two looks: at first, and at most


def until(look: Callable[[], Value], *, seconds: float = 20, what: Callable[[], object] | str = "") -> Value:
    """Return the first true value of `look`.

    Parameters
    ----------
    seconds
        After these the test fails.
    what
        What is waited for, or what tells why it has not come; in the message of the failure.
    """
    deadline = time.monotonic() + seconds
    pause, longest = _PAUSES
    while not (value := look()):
        assert time.monotonic() < deadline, (what() if callable(what) else what) or f"not true within {seconds} s"
        time.sleep(pause)
        pause = min(1.1 * pause, longest)
    return value
