"""The executor on threads: a thread for each task, and pools of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from orthanc_lab.protocol.execution import Happening, Pace, Pool, Steps, Task
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.protocol.submit_burst import ThreadPace

__all__ = ["ThreadExecutor"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ThreadExecutor:
    """Runs each task on a thread of its own.

    Parameters
    ----------
    clock
        What the waits of tasks are measured by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def spawn(self, name: str, steps: Steps) -> Task:
        """Begin a task on a new thread."""
        return _ThreadTask(name, steps, self._clock)

    def pool(self, name: str, most: int) -> Pool:
        """Return a pool of threads; each is started when it is needed."""
        return _ThreadPool(most, name)

    def happening(self) -> Happening:
        """Return a `threading.Event`."""
        return threading.Event()  # type: ignore[return-value] # without a timeout, its wait is true always

    def pace(self) -> Pace:
        """Return a pace that holds threads back during a burst."""
        return ThreadPace()

    def run_pending(self) -> None:
        """Do nothing: threads go on by themselves."""


class _ThreadPool(ThreadPoolExecutor):
    """Does each piece in the context of the caller, and so on behalf of the job that this one acts for."""

    def submit(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        return super().submit(partial(copy_context().run, function, *args, **kwargs))


class _ThreadTask:
    def __init__(self, name: str, steps: Steps, clock: Clock) -> None:
        self._steps = steps
        self._clock = clock
        self._awake = threading.Condition(threading.Lock())
        self._woken = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        with self._awake:
            self._woken = True
            self._awake.notify()

    def join(self, timeout: float) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with suppress(GeneratorExit):
            self._go_on()

    def _go_on(self) -> None:
        began = self._clock.monotonic()
        for seconds in self._steps:
            if seconds != 0:
                with self._awake:
                    if not self._woken:
                        self._clock.wait_until(self._awake, None if seconds is None else began + seconds)
                    self._woken = False
            began = self._clock.monotonic()
