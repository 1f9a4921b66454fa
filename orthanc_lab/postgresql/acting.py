"""On whose behalf something is written: a step of a job must not write once another server has the job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = ["Guard", "act_under", "acting_under", "current_guard"]


@dataclass(frozen=True, slots=True)
class Guard:
    """What must still be true when a transaction is committed.

    Its query finds a row, and locks it (``FOR SHARE``), as long as it is true: whoever wants to make it untrue waits
    for the commit, or comes first and the transaction is refused.
    """

    query: str
    parameters: tuple[Any, ...]
    refusal: Callable[[], Exception]  # makes what is raised when there is no such row any more


_guard: ContextVar[Guard | None] = ContextVar("orthanc_lab_guard", default=None)


def current_guard() -> Guard | None:
    """Return the guard of what this thread is doing; None if nothing can be taken away from it."""
    return _guard.get()


def act_under(guard: Guard | None) -> None:
    """Let each transaction of this thread hold to a guard from now on; None to no guard any more."""
    _guard.set(guard)


@contextmanager
def acting_under(guard: Guard | None) -> Iterator[None]:
    """Let each transaction of this thread hold to a guard within a ``with`` block, and then to that of before."""
    before = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(before)
