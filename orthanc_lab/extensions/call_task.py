"""A task of its own for the calls into an extension, so that one that never returns holds nobody up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Generic, TypeVar

from orthanc_lab.protocol.execution import Executor, Steps, Task

__all__ = ["CallTask"]

Result = TypeVar("Result")


class CallTask(Generic[Result]):
    """Makes calls one after the other, between `open` and `close` on the same thread."""

    def __init__(self, executor: Executor, name: str) -> None:
        self._executor = executor
        self._name = name
        self._lock = threading.Lock()
        self._calls: deque[tuple[Callable[[], Result], Future[Result]]] = deque()
        self._closing = False
        self._task: Task | None = None

    def begin(self, call: Callable[[], Result], *, last: bool = False) -> Future[Result]:
        """Make a call after those that were begun before; return what will have its result.

        Parameters
        ----------
        last
            Whether the task ends after it, until there is another call.
        """
        future: Future[Result] = Future()
        # On behalf of the same job as the caller, which another server may have taken over.
        within = partial(copy_context().run, call)
        with self._lock:
            is_new = self._task is None
            if self._task is None:
                self._task = self._executor.spawn(self._name, self._steps())
            self._calls.append((within, future))
            self._closing = last
            if not is_new:
                self._task.wake()
        return future

    def join(self, timeout: float) -> None:
        """Wait for the end of a task whose last call was begun, for `timeout` seconds at most."""
        task = self._task
        if task is not None:
            task.join(timeout)

    def _steps(self) -> Steps:
        while True:
            with self._lock:
                begun = self._calls.popleft() if self._calls else None
                if begun is None and self._closing:
                    self._task = None
                    return
            if begun is None:
                yield None
                continue
            call, future = begun
            try:
                result = call()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del begun, call, future
            yield 0
