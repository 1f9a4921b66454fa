"""How work is run that nobody waits for in its own thread: on threads, or without any.

A task is a generator that yields, wherever another task may go first, what it waits for:

- ``yield 0`` lets others go first and goes on;
- ``yield seconds`` goes on after that time of the clock, or earlier when somebody calls `Task.wake`;
- ``yield None`` goes on when somebody calls `Task.wake`.

The seconds count from the moment at which the task last went on, so that it does not miss a clock that is moved
while it works them out. It must look again at what it waits for whenever it goes on: it may be woken for no
reason. A task that raises GeneratorExit has ended, as one that is closed. So the same code runs on threads
(`orthanc_lab.protocol.threads`) and without (`orthanc_lab.protocol.inline`), and a test can draw the order of
the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

__all__ = ["Executor", "Happening", "Pace", "Pool", "Steps", "Task"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

Steps = Generator[float | None, None, None]
"""The body of a task; what it yields is what it waits for, in seconds of the clock."""


class Task(Protocol):
    """A task that was begun."""

    def wake(self) -> None:
        """Let it go on, if it waits; if not, its next wait ends at once. From any thread."""
        ...

    def join(self, timeout: float) -> bool:
        """Wait for its end; False if `timeout` seconds were not enough."""
        ...


class Happening(Protocol):
    """Something that somebody waits for: it happens once."""

    def set(self) -> None:
        """Let those that wait go on."""
        ...

    def is_set(self) -> bool:
        """Return whether it has happened."""
        ...

    def wait(self) -> None:
        """Return once it has happened.

        Raises
        ------
        RuntimeError
            Without threads, if no task is left that could make it happen.
        """
        ...


class Pool(Protocol):
    """Short pieces of work beside the work of the caller, in libraries that release the interpreter lock.

    Each is done on behalf of the caller: in a copy of its context (`contextvars`).
    """

    def submit(
        self, function: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Return what will have the result."""
        ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept nothing more, and wait for what was submitted; `cancel_futures` drops what has not begun."""
        ...


class Pace(Protocol):
    """Holds the tasks that serve a queue back while its items come in quick succession.

    It decides only when items are taken, never which: where tasks take no processor time from
    those that submit, it holds nobody back.
    """

    def arrive(self, *, awaited: bool) -> bool:
        """Note a new item; return whether a task should be woken for it.

        Parameters
        ----------
        awaited
            Whether a caller waits for this item, so that it must not be held back.
        """
        ...

    def hold_back(self) -> bool:
        """Return once items may be taken; False if another task is being held back and will take them."""
        ...

    def drained(self) -> None:
        """Note that the queue is empty."""
        ...


class Executor(Protocol):
    """Runs tasks, and pieces of work beside them."""

    def spawn(self, name: str, steps: Steps) -> Task:
        """Begin a task."""
        ...

    def pool(self, name: str, most: int) -> Pool:
        """Return a pool that does at most so many pieces at a time."""
        ...

    def happening(self) -> Happening:
        """Return something to wait for."""
        ...

    def pace(self) -> Pace:
        """Return the pace for the tasks of one queue."""
        ...

    def run_pending(self) -> None:
        """Let the tasks go on for a moment where they do not by themselves: the caller has nothing else to do."""
        ...
