"""The executor that goes on only when it is told to, and draws from a seed who does.

Without threads, and with a clock that is moved by hand, the seed says all that happens: the same seed is the same
schedule in every process and on every machine. So nothing here depends on hashes, addresses or the random functions
whose results may change from one version of Python to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol
from weakref import WeakSet

from orthanc_lab.protocol.execution import Happening, Pace, Pool, Steps, Task
from orthanc_lab.protocol.inline import InlineExecutor, InlineTask
from orthanc_lab.protocol.ports import ManualClock

__all__ = [
    "SEED_VERSION",
    "Caller",
    "Choices",
    "Crashed",
    "RandomChoices",
    "SeededExecutor",
    "TaskGroup",
    "read_seed",
    "seeded",
]

SEED_VERSION = 1
"""Changes whenever a seed stands for another schedule than before."""

_VERSION, _NUMBER = re.compile(r"[0-9]{1,9}"), re.compile(r"[0-9]{1,30}")
_CHANGE_OF_PACE = 1 / 32
_WEIGHTS = tuple(0.5**number for number in range(8))
_NEVER = 1e-9
_LONGEST_WAIT = 24 * 3600.0  # seconds of the clock; tasks that go on at intervals would let a lost wait go on for ever


class Choices(Protocol):
    """Decides what happens next."""

    def choose(self, names: Sequence[str], *, optional: int = 0) -> int:
        """Return the index of one of these names; there is at least one.

        Parameters
        ----------
        optional
            How many of the last ones need not happen at all.
        """
        ...


class RandomChoices:
    """Draws what happens next from a seed.

    Each name has a weight between 1 and 1/128, drawn anew now and then: some tasks get far ahead of others, and a
    command may come after two steps or after two hundred. If all were equal, it would nearly always come early. Of what
    need not happen, one half does not.

    Parameters
    ----------
    seed
        Any whole number.

    Examples
    --------
    >>> one, other = RandomChoices(7), RandomChoices(7)
    >>> [one.choose("abc") for _ in range(20)] == [other.choose("abc") for _ in range(20)]
    True
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random  # the one function that is the same in every version of Python
        self._weights: dict[str, float] = {}
        self._happens: dict[str, bool] = {}  # by the names of what need not

    def choose(self, names: Sequence[str], *, optional: int = 0) -> int:
        """Return the index of one of these names."""
        if len(names) == 1:
            return 0
        random, weights = self._random, self._weights
        if random() < _CHANGE_OF_PACE:
            weights.clear()
        for name in names[len(names) - optional :]:
            if name not in self._happens:
                self._happens[name] = random() < 0.5
            if not self._happens[name]:
                weights[name] = _NEVER
        total = 0.0
        bounds = []
        for name in names:
            weight = weights.get(name)
            if weight is None:
                weight = weights[name] = _WEIGHTS[int(random() * len(_WEIGHTS))]
            total += weight
            bounds.append(total)
        at = random() * total
        for index, bound in enumerate(bounds):
            if at < bound:
                return index
        return len(names) - 1


class Caller(Protocol):
    """Code on a thread of its own that takes part as one of the tasks."""

    def suspend(self) -> None:
        """Let others go on until `wake` is called."""
        ...

    def wake(self) -> None:
        """Let it go on when its turn comes."""
        ...


class Crashed(BaseException):
    """What goes on inside of a server that has crashed ends; no error that the server could handle."""


class SeededExecutor(InlineExecutor):
    """Runs no task by itself: each `turn` lets one of those that are ready go on.

    A request that waits for a job takes as many turns as that needs, and moves the clock where nothing else is left.

    Parameters
    ----------
    choices
        Decides which task goes on.
    clock
        The time of the tasks, moved by hand.
    seed
        For the identifiers of a server on this executor.

    Attributes
    ----------
    caller
        Returns who calls, if that is somebody who can wait while others go on; set by a simulation.
    """

    def __init__(self, choices: Choices, clock: ManualClock, seed: int = 0) -> None:
        super().__init__(clock)
        self.choices = choices
        self.clock = clock
        self.seed = seed
        self.caller: Callable[[], Caller | None] = lambda: None

    def spawn(self, name: str, steps: Steps) -> InlineTask:
        """Take a task in; a name that another task has gets a number."""
        taken = self.names()
        unique, number = name, 2
        while unique in taken:
            unique, number = f"{name}#{number}", number + 1
        return super().spawn(unique, steps)

    def names(self) -> set[str]:
        """Return the names of all tasks."""
        return {task.name for task in self._tasks}

    def turn(self) -> bool:
        """Let one task go on; False if none can."""
        ready = self.ready()
        if not ready:
            return False
        self.go_on(ready[self.choices.choose([task.name for task in ready])])
        return True

    def go_on(self, task: InlineTask) -> None:
        """Let a task that is ready go on to its next wait."""
        # Without a lock: a task may be code on another thread that takes turns itself, while this one waits for it.
        try:
            task.go_on(self.clock.monotonic())
        finally:
            if task.is_over and task in self._tasks:
                self._tasks.remove(task)

    def happening(self) -> Happening:
        """Return something whose `wait` takes turns, for a day of the clock at most."""
        return _SeededHappening(self)

    def run_pending(self) -> None:
        """Do nothing: only a step lets tasks go on."""

    def wait_for_a_task(self) -> bool:
        """Move the clock to the time of the task that is due first; False if none waits for a time."""
        due = self.next_due()
        if due is None:
            return False
        self.clock.advance(max(due - self.clock.monotonic(), 0))
        return True

    def drop(self, task: InlineTask) -> None:
        """Forget a task where it is, as the end of its process would."""
        if not task.is_over:
            self._tasks.remove(task)
            task.abandon()


class _SeededHappening:
    def __init__(self, executor: SeededExecutor, group: TaskGroup | None = None) -> None:
        self._executor = executor
        self._group = group
        self._is_set = False
        self._waiting: list[Caller] = []

    def set(self) -> None:
        self._is_set = True
        self.wake()

    def wake(self) -> None:
        for caller in self._waiting:
            caller.wake()

    def is_set(self) -> bool:
        return self._is_set

    def wait(self) -> None:
        caller = self._executor.caller()
        end = self._executor.clock.monotonic() + _LONGEST_WAIT
        if caller is not None:
            self._waiting.append(caller)
        while not self._is_set:
            if self._group is not None and self._group.has_ended:
                raise Crashed
            if caller is not None:
                caller.suspend()
            else:
                self._take_a_turn(end)

    def _take_a_turn(self, end: float) -> None:
        executor = self._executor
        if not executor.turn() and (executor.clock.monotonic() > end or not executor.wait_for_a_task()):
            raise RuntimeError("Nothing is left that could end this wait")


class TaskGroup:
    """The tasks of one server among those of an executor: they can end at once, as those of a killed process do."""

    def __init__(self, executor: SeededExecutor) -> None:
        self._executor = executor
        self._tasks: list[InlineTask] = []
        self._happenings: WeakSet[_SeededHappening] = WeakSet()
        self.has_ended = False

    def spawn(self, name: str, steps: Steps) -> Task:
        """Take a task in."""
        task = self._executor.spawn(name, steps)
        self._tasks = [old for old in self._tasks if not old.is_over]
        self._tasks.append(task)
        return task

    def pool(self, name: str, most: int) -> Pool:
        """Return a pool that does each piece when it is submitted."""
        return self._executor.pool(name, most)

    def happening(self) -> Happening:
        """Return something whose `wait` lets tasks go on."""
        made = _SeededHappening(self._executor, self)
        self._happenings.add(made)
        return made

    def pace(self) -> Pace:
        """Return a pace that holds nobody back."""
        return self._executor.pace()

    def run_pending(self) -> None:
        """Do nothing."""

    def check_that_none_runs(self) -> None:
        """Refuse to go on inside one of the tasks.

        Raises
        ------
        RuntimeError
            If one of them calls this.
        """
        running = next((task.name for task in self._tasks if task.is_running), None)
        if running is not None:
            raise RuntimeError(f"A crash comes between two steps, not inside one: {running} is in the middle of a step")

    def drop_all(self) -> None:
        """Forget all tasks where they are; who waits for something of them gets `Crashed`."""
        self.has_ended = True
        for task in self._tasks:
            self._executor.drop(task)
        self._tasks.clear()
        for happening in self._happenings:
            happening.wake()


def seeded(seed: int | str, *, clock: ManualClock | None = None) -> SeededExecutor:
    """Return an executor for `orthanc_lab.in_process` under which nothing runs by itself.

    Parameters
    ----------
    seed
        A whole number, or the text of a seed as a failed exploration prints it, ``"1:7"``.
    clock
        The time of the server; None for a clock of its own, ``server.clock``.

    Raises
    ------
    ValueError
        For a text that is no seed, or the seed of another version.

    Examples
    --------
    >>> import orthanc_lab
    >>> with orthanc_lab.in_process(executor=orthanc_lab.seeded(7)) as server:
    ...     made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
    ...     level = f"{server.url}/studies/{made['ParentStudy']}"
    ...     job = server.session.post(f"{level}/archive", json={"Asynchronous": True}).json()
    ...     address = f"{server.url}{job['Path']}"
    ...     before = server.session.get(address).json()["State"]
    ...     server.run_until(lambda: server.session.get(address).json()["State"] == "Success")
    ...     before
    'Pending'
    """
    number = read_seed(seed)
    return SeededExecutor(RandomChoices(number), clock or ManualClock(), number)


def read_seed(seed: int | str) -> int:
    """Return the number of a seed.

    Raises
    ------
    ValueError
        For what is no seed, or the seed of another version.

    Examples
    --------
    >>> read_seed("1:7")
    7
    >>> read_seed("9:7")
    Traceback (most recent call last):
        ...
    ValueError: The seed '9:7' is of version 9; this orthanc-lab reads version 1, for which it is another schedule
    """
    if isinstance(seed, int) and seed >= 0:
        return seed
    version, _, number = str(seed).partition(":")
    if not _VERSION.fullmatch(version) or not _NUMBER.fullmatch(number):
        raise ValueError(
            f'A seed is a whole number from 0, or a version and a number like "{SEED_VERSION}:7", not {seed!r:.60}'
        )
    if int(version) != SEED_VERSION:
        raise ValueError(
            f"The seed {seed!r:.60} is of version {version}; this orthanc-lab reads version {SEED_VERSION}, for which"
            " it is another schedule"
        )
    return int(number)
