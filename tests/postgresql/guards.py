"""A guard for a while, as a step of a job has one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orthanc_lab.postgresql.acting import Guard, act_under

__all__ = ["acting"]


@contextmanager
def acting(guard: Guard) -> Iterator[None]:
    act_under(guard)
    try:
        yield
    finally:
        act_under(None)
