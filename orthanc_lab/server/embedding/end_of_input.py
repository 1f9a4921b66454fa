"""How a child process learns that its parent has ended: its standard input ends."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

__all__ = ["at_end_of_input"]


def at_end_of_input(act: Callable[[], None]) -> None:
    """Call `act`, in another thread, once the standard input has ended; what it contains is discarded."""
    number = sys.stdin.fileno()

    def wait() -> None:
        # Not through sys.stdin: its lock, held by a thread that waits, aborts the end of the program.
        while os.read(number, 4096):
            pass
        act()

    threading.Thread(target=wait, name="end-of-input", daemon=True).start()
