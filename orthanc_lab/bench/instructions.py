"""How many instructions the interpreter carries out on the threads of a server: the same in every run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["counted_instructions"]


@contextmanager
def counted_instructions() -> Iterator[Callable[[], int]]:
    """Count the instructions of all threads that are started in the block; gives how many there were so far.

    From Python 3.12 on, those of a function are counted from its second call on.
    """
    # A list for each thread: += on what threads share could miss some.
    counts: list[list[int]] = []
    own = threading.local()

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "call":
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        elif event == "opcode":
            try:
                own.count[0] += 1
            except AttributeError:
                own.count = [1]
                counts.append(own.count)
        return count

    before = threading.gettrace()
    threading.settrace(count)
    try:
        yield lambda: sum(own[0] for own in counts)
    finally:
        threading.settrace(before)
