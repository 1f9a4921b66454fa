"""What stands for the browser: it hears the messages of a widget, and answers as its JavaScript would."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import comm
from comm.base_comm import BaseComm

from orthanc_lab.widgets import Panel

__all__ = ["Message", "Recorder", "hear", "hide", "show"]

Message = tuple[str, dict[str, Any], list[Any]]
"""Identifier of the widget, data, buffers."""


class Recorder:
    """All messages from the kernel while `hear` is in force, in their order."""

    def __init__(self) -> None:
        self.messages: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def __call__(self, model: str, data: dict[str, Any], buffers: list[Any]) -> None:
        self.messages.put((model, data, buffers))

    def taken(self) -> list[Message]:
        """Return what was sent since the last call."""
        found = []
        while not self.messages.empty():
            found.append(self.messages.get())
        return found


@contextmanager
def hear() -> Iterator[Recorder]:
    """Record what the widgets made inside of the block send."""
    recorder = Recorder()

    class Comm(BaseComm):
        def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any):
            if msg_type == "comm_msg":
                recorder(self.comm_id, data, buffers or [])

    before = comm.create_comm
    comm.create_comm = Comm
    try:
        yield recorder
    finally:
        comm.create_comm = before


def show(panel: Panel, view: str = "a") -> None:
    """A browser shows the panel."""
    panel.status._handle_custom_msg({"view": view, "here": True}, [])


def hide(panel: Panel, view: str = "a") -> None:
    """It shows it no more."""
    panel.status._handle_custom_msg({"view": view, "here": False}, [])
