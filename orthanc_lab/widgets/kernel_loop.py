"""Waiting until the kernel has heard what the browser said: it hears nothing while a cell runs."""

from __future__ import annotations

from collections.abc import Callable

from IPython.core.getipython import get_ipython

__all__ = ["when_kernel_is_free"]

_BACKLOG = 5.0  # seconds for the messages that came while the cell ran


def when_kernel_is_free(action: Callable[[], None]) -> None:
    """Do something when no cell runs, and the messages that waited have been heard; outside of a kernel at once."""
    shell = get_ipython()
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if loop is None:
        action()
    else:
        loop.add_callback(loop.call_later, _BACKLOG, action)
