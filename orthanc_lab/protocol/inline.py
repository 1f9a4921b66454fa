"""The executor without threads: tasks go on when somebody waits, or lets them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from typing import ParamSpec, TypeVar

from orthanc_lab.protocol.execution import Happening, Pace, Pool, Steps
from orthanc_lab.protocol.ports import Clock

__all__ = ["InlineExecutor", "InlineTask"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_MOMENT = 16  # turns


class InlineExecutor:
    """Runs tasks in turn on the thread of the caller.

    If several threads call, one of them runs tasks at a time.

    Parameters
    ----------
    clock
        What the waits of tasks are measured by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # a step may wait for something that another task does
        self._tasks: list[InlineTask] = []

    def spawn(self, name: str, steps: Steps) -> InlineTask:
        """Take a task in; it begins with the next turn."""
        task = InlineTask(name, steps, self)
        self._tasks.append(task)
        return task

    def pool(self, name: str, most: int) -> Pool:
        """Return a pool that does each piece when it is submitted."""
        return _InlinePool()

    def happening(self) -> Happening:
        """Return something whose `wait` lets the tasks go on."""
        return _InlineHappening(self)

    def pace(self) -> Pace:
        """Return a pace that holds nobody back."""
        return _NoPace()

    def turn(self) -> bool:
        """Let each task that can go on do so once; False if none could."""
        with self._lock:
            ready = self.ready()
            for task in ready:
                if task.is_ready(self._clock.monotonic()):  # it may have gone on inside the step of another one
                    self.go_on(task)
            return bool(ready)

    def ready(self) -> list[InlineTask]:
        """Return the tasks that can go on, in the order in which they were begun."""
        now = self._clock.monotonic()
        return [task for task in self._tasks if task.is_ready(now)]

    def go_on(self, task: InlineTask) -> None:
        """Let a task that is ready go on to its next wait."""
        with self._lock:
            try:
                task.go_on(self._clock.monotonic())
            finally:
                if task.is_over:
                    self._tasks.remove(task)

    def next_due(self) -> float | None:
        """Return when the next task is due by the clock; None if none waits for a time."""
        return min((task.due for task in self._tasks if task.due is not None and not task.is_running), default=None)

    def run(self) -> None:
        """Let the tasks go on until all of them wait."""
        while self.turn():
            pass

    def run_pending(self) -> None:
        """Let the tasks go on for a few turns."""
        for _ in range(_MOMENT):
            if not self.turn():
                return

    def wait_for_a_task(self) -> bool:
        """Wait for the time of the task that is due first; False if none waits for a time."""
        due = self.next_due()
        if due is None:
            return False
        moment = threading.Condition()
        with moment:
            self._clock.wait_until(moment, due)
        return True


class InlineTask:
    """A task of an `InlineExecutor`; what it notes of itself (`contextvars`) is its own, as on a thread."""

    def __init__(self, name: str, steps: Steps, executor: InlineExecutor) -> None:
        self.name = name
        self.is_over = False
        self.is_running = False
        self.due: float | None = 0.0  # by the clock; None waits to be woken
        self._steps = steps
        self._executor = executor
        self._context = Context()

    def wake(self) -> None:
        """Let it go on."""
        self.due = 0.0

    def join(self, timeout: float) -> bool:
        """Let all tasks go on until this one has ended, or nothing goes on."""
        while not self.is_over and self._executor.turn():
            pass
        return self.is_over

    def abandon(self) -> None:
        """End it where it waits; what it wanted to do about that fails unheard, as everything around it is gone."""
        self.is_over = True
        with suppress(Exception):
            self._context.run(self._steps.close)

    def is_ready(self, now: float) -> bool:
        """Return whether it can go on."""
        return not self.is_over and not self.is_running and self.due is not None and self.due <= now

    def go_on(self, now: float) -> None:
        """Go on to the next wait."""
        self.due = None  # whoever wakes it from here on is heard
        self.is_running = True
        try:
            seconds = self._context.run(next, self._steps)
        except BaseException as error:
            self.is_over = True
            if isinstance(error, (StopIteration, GeneratorExit)):
                return
            raise
        finally:
            self.is_running = False
        if seconds is not None and self.due is None:
            self.due = now + seconds


class _InlinePool:
    def submit(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(copy_context().run(function, *args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class _NoPace:
    def arrive(self, *, awaited: bool) -> bool:
        return True

    def hold_back(self) -> bool:
        return True

    def drained(self) -> None:
        pass


class _InlineHappening:
    def __init__(self, executor: InlineExecutor) -> None:
        self._executor = executor
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self) -> None:
        while not self._is_set:
            if not self._executor.turn() and not self._executor.wait_for_a_task():
                raise RuntimeError("Nothing is left that could end this wait")
