"""The executor without threads: tasks go on when somebody waits, or lets them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from orthanc_lab.protocol.execution import Happening, Pace, Pool, Steps, Task
from orthanc_lab.protocol.ports import Clock

__all__ = ["InlineExecutor"]

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
        self._tasks: list[_InlineTask] = []

    def spawn(self, name: str, steps: Steps) -> Task:
        """Take a task in; it begins with the next turn."""
        task = _InlineTask(name, steps, self)
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
            now = self._clock.monotonic()
            ready = [task for task in self._tasks if task.is_ready(now)]
            for task in ready:
                if not task.is_ready(now):  # it went on inside the step of another one
                    continue
                try:
                    task.go_on(now)
                finally:
                    if task.is_over:
                        self._tasks.remove(task)
            return bool(ready)

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
        due = min((task.due for task in self._tasks if task.due is not None and not task.is_running), default=None)
        if due is None:
            return False
        moment = threading.Condition()
        with moment:
            self._clock.wait_until(moment, due)
        return True


class _InlineTask:
    def __init__(self, name: str, steps: Steps, executor: InlineExecutor) -> None:
        self.name = name
        self.is_over = False
        self.is_running = False
        self.due: float | None = 0.0  # by the clock; None waits to be woken
        self._steps = steps
        self._executor = executor

    def wake(self) -> None:
        self.due = 0.0

    def join(self, timeout: float) -> bool:
        while not self.is_over and self._executor.turn():
            pass
        return self.is_over

    def is_ready(self, now: float) -> bool:
        return not self.is_over and not self.is_running and self.due is not None and self.due <= now

    def go_on(self, now: float) -> None:
        self.due = None  # whoever wakes it from here on is heard
        self.is_running = True
        try:
            seconds = next(self._steps)
        except BaseException as error:
            self.is_over = True
            if isinstance(error, StopIteration):
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
            future.set_result(function(*args, **kwargs))
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
