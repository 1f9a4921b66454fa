"""Running a scenario under many schedules, and a failing one again."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orthanc_lab.protocol.arguments import check_function
from orthanc_lab.protocol.picklable import Picklable
from orthanc_lab.protocol.seeded import SEED_VERSION, Choices, RandomChoices, read_seed
from orthanc_lab.testing.schedules.choices import RecordedChoices, ScriptedChoices
from orthanc_lab.testing.schedules.notes import NotedChoices
from orthanc_lab.testing.schedules.shrinking import Needed, shrink
from orthanc_lab.testing.schedules.simulation import Simulation
from orthanc_lab.testing.schedules.text import Line, read_schedule, to_lines, write_schedule

__all__ = ["Exploration", "Scenario", "ScheduleError", "UnsteadyScenarioError", "explore", "replay"]

Scenario = Callable[[Simulation], object]
"""A test: it takes a `Simulation`, and fails as tests do."""

_MOST_RUNS = 500  # to shrink one failure


class ScheduleError(Picklable, AssertionError):
    """A scenario fails under a schedule; its cause is the failure itself.

    Attributes
    ----------
    schedule
        The shrunk schedule, as text for `replay`.
    seed
        What it was found by, as text for `explore`.

    Examples
    --------
    >>> from orthanc_lab import testing
    >>> def scenario(simulation):
    ...     said = []
    ...     for word in ("one", "two", "three"):
    ...         simulation.will(word, lambda word=word: said.append(word))
    ...     simulation.run()
    ...     assert said[-1] != "one"
    >>> try:
    ...     testing.explore(scenario)
    ... except testing.ScheduleError as error:
    ...     print(error.schedule)
    orthanc-lab schedule 1
    two
    three
    """

    def __init__(self, message: str, schedule: str, seed: str) -> None:
        super().__init__(message)
        self.schedule = schedule
        self.seed = seed


class UnsteadyScenarioError(AssertionError):
    """A scenario that does not do the same twice under the same schedule."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """Schedules that were run, none of which failed.

    Attributes
    ----------
    schedules
        How many.
    moves
        How often something went on, in all of them.
    seconds
        How long that took.

    Examples
    --------
    >>> from orthanc_lab import testing
    >>> done = testing.explore(lambda simulation: simulation.run(), schedules=10)
    >>> done.schedules, done.moves
    (10, 0)
    """

    schedules: int
    moves: int
    seconds: float


def explore(
    scenario: Scenario,
    schedules: int = 1000,
    *,
    seed: int | str = 0,
    replay: str | None = None,
    most_moves: int = 100_000,
) -> Exploration:
    """Run a scenario under many schedules; the first one that fails is shrunk and reported.

    Parameters
    ----------
    scenario
        The test: it takes a `Simulation`, says what takes part, lets it run and checks what came of it. It must
        depend on nothing else that differs from run to run.
    schedules
        How many. With an engine alone, some hundreds take a second; with a whole server, some tens.
    seed
        The first schedule; the next ones follow from the next numbers.
    replay
        A schedule as text: runs that one alone, see `replay`.
    most_moves
        After how many moves a run has failed because it does not end.

    Raises
    ------
    ScheduleError
        If it fails.
    UnsteadyScenarioError
        If it fails, but not again under the same schedule.
    ValueError
        For a seed or a schedule of another version, or no schedule at all.

    Examples
    --------
    >>> from orthanc_lab import testing
    >>> def scenario(simulation):
    ...     shelf = ["last copy"]
    ...     def reader(name):
    ...         if shelf:
    ...             yield 0
    ...             shelf.pop()
    ...     simulation.client("Ada", reader("Ada"))
    ...     simulation.client("Bob", reader("Bob"))
    ...     simulation.run()
    >>> try:
    ...     testing.explore(scenario)
    ... except testing.ScheduleError as error:
    ...     print(error)
    IndexError: pop from empty list
    <BLANKLINE>
    orthanc-lab schedule 1
    Ada
    Bob
    <BLANKLINE>
    Run it again with testing.replay(scenario, text). Found with seed "1:3", shrunk from 4 lines to 2.
    """
    if replay is not None:
        return _replayed(scenario, replay, most_moves)
    check_function(scenario, "a scenario, a function that takes a Simulation")
    if schedules < 1:
        raise ValueError(f"At least one schedule must be run, not {schedules}")
    begin, first, moves = time.perf_counter(), read_seed(seed), 0
    for number in range(first, first + schedules):
        choices = RecordedChoices(RandomChoices(number))
        error = _run(scenario, choices, most_moves)
        if error is not None:
            raise _report(scenario, f"{SEED_VERSION}:{number}", to_lines(choices.names), error, most_moves)
        moves += len(choices.names)
    return Exploration(schedules, moves, time.perf_counter() - begin)


def replay(scenario: Scenario, schedule: str, *, most_moves: int = 100_000) -> Exploration:
    """Run a scenario under one schedule; it fails as it did when the schedule was found.

    Parameters
    ----------
    schedule
        The text that `explore` printed.
    most_moves
        After how many moves the run has failed because it does not end.

    Raises
    ------
    ValueError
        For a text that is no schedule, a schedule of another version, or one that does not fit the scenario.

    Examples
    --------
    >>> from orthanc_lab import testing
    >>> def scenario(simulation):
    ...     said = []
    ...     simulation.will("yes", lambda: said.append("yes"))
    ...     simulation.will("no", lambda: said.append("no"))
    ...     simulation.run()
    ...     print(said)
    >>> done = testing.replay(scenario, '''
    ... orthanc-lab schedule 1
    ... no
    ... yes
    ... ''')
    ['no', 'yes']
    """
    return _replayed(scenario, schedule, most_moves)


def _replayed(scenario: Scenario, schedule: str, most_moves: int) -> Exploration:
    check_function(scenario, "a scenario, a function that takes a Simulation")
    choices = ScriptedChoices(read_schedule(schedule), strict=True)
    begin = time.perf_counter()
    with Simulation(choices, most_moves=most_moves) as simulation:
        scenario(simulation)
        choices.check_that_all_was_used()
        simulation.raise_errors()
    return Exploration(1, choices.length, time.perf_counter() - begin)


def _run(scenario: Scenario, choices: Choices, most_moves: int) -> BaseException | None:
    """Run a scenario, and return how it fails."""
    try:
        with Simulation(choices, most_moves=most_moves) as simulation:
            if isinstance(choices, NotedChoices):
                choices.states = simulation.job_states
            scenario(simulation)
            simulation.raise_errors()
    except _failures() as error:
        return error
    return None


def _failures() -> tuple[type[BaseException], ...]:
    """Return how a test fails; `pytest.fail` raises what is no `Exception`."""
    pytest = sys.modules.get("pytest")
    return (Exception,) if pytest is None else (Exception, pytest.fail.Exception)


def _report(scenario: Scenario, seed: str, lines: list[Line], error: BaseException, most_moves: int) -> AssertionError:
    kind = _kind_of(error)

    def attempt(candidate: Sequence[Line]) -> Needed | None:
        choices = ScriptedChoices(candidate, strict=False)
        failure = _run(scenario, choices, most_moves)
        if failure is None or _kind_of(failure) != kind:
            return None
        return Needed(choices.lines, choices.detours)

    again = attempt(lines)
    shortest = [] if again is None else shrink(again, attempt, _MOST_RUNS)
    noted = NotedChoices(ScriptedChoices(shortest, strict=True))
    final = None if again is None else _run(scenario, noted, most_moves)
    if final is None:
        unsteady = UnsteadyScenarioError(
            f"The scenario failed with seed {seed!r}, and did not fail again in the same way under the same schedule:"
            " it depends on something else (the time of the machine, random numbers, the order of a set, what an"
            " earlier run has left)"
        )
        unsteady.__cause__ = error
        return unsteady
    text = write_schedule(shortest, noted.notes(shortest))
    message = (
        f"{''.join(traceback.format_exception_only(final)).strip()}\n\n{text}\n\n"
        f'Run it again with testing.replay(scenario, text). Found with seed "{seed}", shrunk from {len(lines)} lines'
        f" to {len(shortest)}."
    )
    report = ScheduleError(message, text, seed)
    report.__cause__ = final
    return report


def _kind_of(error: BaseException) -> tuple[object, ...]:
    """Return what two failures of the same kind have in common: the type and the place."""
    if isinstance(error, BaseExceptionGroup):
        return (type(error), *(_kind_of(part) for part in error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    return (type(error), (frames[-1].filename, frames[-1].lineno) if frames else None)
