"""Pieces of work that are on their way at the same time, each a task of the executor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from orthanc_lab.jobs.ports import NotReady
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor, Steps, Task

__all__ = ["RETRY_SECONDS", "InFlight"]

Result = TypeVar("Result")

RETRY_SECONDS = 1.0
_LOOK_AGAIN = 0.2  # seconds


class InFlight(Generic[Result]):
    """Numbered pieces of work; only one thread begins and takes them.

    Parameters
    ----------
    retries
        How many more times a piece is tried that fails with `OrthancError`, after a second each.
    """

    def __init__(self, executor: Executor, name: str, retries: int) -> None:
        self._executor = executor
        self._name = name
        self._retries = retries
        self._lock = threading.Lock()
        self._closing = False
        self._tasks: dict[int, Task] = {}
        self._ended: deque[tuple[int, Result | BaseException]] = deque()
        self._wake: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, number: int) -> bool:
        return number in self._tasks

    def begin(self, number: int, work: Callable[[], Result]) -> None:
        """Begin a piece of work."""
        self._tasks[number] = self._executor.spawn(self._name, self._steps(number, work))

    def take(self) -> list[tuple[int, Result | BaseException]]:
        """Return what has ended since the last call: the number, and the result or the error."""
        ended = []
        while self._ended:
            number, outcome = self._ended.popleft()
            del self._tasks[number]
            ended.append((number, outcome))
        return ended

    def wait(self) -> NotReady:
        """Return what a step answers that has to wait for the next end."""
        return NotReady(_LOOK_AGAIN, self._call_when_ended)

    def close(self, seconds: float) -> None:
        """Try nothing again, and wait for what is on its way; once that takes too long, all of it is abandoned."""
        self._closing = True
        for task in self._tasks.values():
            task.wake()
        for task in self._tasks.values():
            if not task.join(seconds):
                seconds = 0.0

    def _steps(self, number: int, work: Callable[[], Result]) -> Steps:
        outcome = self._attempt(work)
        for _ in range(self._retries):
            if self._closing or not isinstance(outcome, OrthancError):
                break
            yield RETRY_SECONDS
            if not self._closing:
                outcome = self._attempt(work)
        self._end(number, outcome)

    def _attempt(self, work: Callable[[], Result]) -> Result | BaseException:
        try:
            return work()
        except BaseException as error:
            return error

    def _end(self, number: int, outcome: Result | BaseException) -> None:
        with self._lock:
            self._ended.append((number, outcome))
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def _call_when_ended(self, wake: Callable[[], None]) -> None:
        with self._lock:
            if not self._ended:
                self._wake = wake
                return
        wake()
