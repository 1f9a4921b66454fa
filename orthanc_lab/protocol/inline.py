"""The executor without threads: tasks go on when somebody waits, or lets them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from orthanc_lab.protocol.execution import Happening, Pool, Steps, Task
from orthanc_lab.protocol.ports import Clock

__all__ = ["InlineExecutor"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class InlineExecutor:
    """Runs tasks in turn on the thread of the caller.

    Parameters
    ----------
    clock
        What the waits of tasks are measured by; nothing sleeps, a task whose time has not come stays where it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: list[_InlineTask] = []
        self._running: _InlineTask | None = None

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

    def turn(self) -> bool:
        """Let each task that can go on do so once; False if none could."""
        now = self._clock.monotonic()
        ready = [task for task in self._tasks if task is not self._running and task.is_ready(now)]
        for task in ready:
            outer, self._running = self._running, task
            try:
                task.go_on(now)
            finally:
                self._running = outer
                if task.is_over:
                    self._tasks.remove(task)
        return bool(ready)

    def run(self) -> None:
        """Let the tasks go on until all of them wait."""
        while self.turn():
            pass


class _InlineTask:
    def __init__(self, name: str, steps: Steps, executor: InlineExecutor) -> None:
        self.name = name
        self.is_over = False
        self._steps = steps
        self._executor = executor
        self._due: float | None = 0.0  # by the clock; None waits to be woken

    def wake(self) -> None:
        self._due = 0.0

    def join(self, timeout: float) -> bool:
        self._executor.run()
        return self.is_over

    def is_ready(self, now: float) -> bool:
        return not self.is_over and self._due is not None and self._due <= now

    def go_on(self, now: float) -> None:
        self._due = None  # whoever wakes it from here on is heard
        try:
            seconds = next(self._steps)
        except StopIteration:
            self.is_over = True
            return
        except BaseException:
            self.is_over = True
            raise
        if seconds is not None and self._due is None:
            self._due = now + seconds


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

    def shutdown(self) -> None:
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
            if not self._executor.turn():
                raise RuntimeError("Nothing is left that could end this wait")
