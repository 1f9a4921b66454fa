"""What a scenario is given: servers, engines and clients whose order is that of a schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.ports import Jobs
from orthanc_lab.protocol.execution import Steps
from orthanc_lab.protocol.inline import InlineTask
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock, SeededIdentifiers
from orthanc_lab.protocol.seeded import Choices, SeededExecutor
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.server.embedding.serve import in_process
from orthanc_lab.server.embedding.wsgi_transport import WsgiTransport
from orthanc_lab.server.environment import EnvironmentWrapper
from orthanc_lab.testing.schedules.blocking import BlockingClient, PausingFiles, pausing, simulated_time
from orthanc_lab.testing.schedules.choices import TIME
from orthanc_lab.testing.schedules.engine import JobKind, SimulatedEngine
from orthanc_lab.testing.schedules.text import check_name

__all__ = ["EndlessError", "Simulation"]

_END = "end"


class EndlessError(AssertionError):
    """A scenario that still goes on after very many moves."""


@dataclass(slots=True)
class _Event:
    name: str
    act: Callable[[], object]
    times: int


class Simulation:
    """One run of a scenario; nothing goes on but in `run`, and all of it as the schedule says.

    Parameters
    ----------
    choices
        The schedule.
    most_moves
        After how many moves a run is given up.

    Attributes
    ----------
    clock
        The time of all that is part of it, moved where nothing can go on.
    errors
        Errors inside of engines that no client saw; a scenario that ends with any has failed.

    Examples
    --------
    >>> from orthanc_lab.protocol.seeded import RandomChoices
    >>> from orthanc_lab.testing.schedules.counting_job import CountingJob
    >>> with Simulation(RandomChoices(7)) as simulation:
    ...     jobs = simulation.jobs_engine()
    ...     id = jobs.submit(CountingJob(10))
    ...     simulation.will("cancel", lambda: jobs.engine.cancel(id))
    ...     simulation.run()
    ...     jobs.state(id).is_final
    True
    """

    def __init__(self, choices: Choices, *, most_moves: int = 100_000) -> None:
        self.clock = ManualClock()
        self.executor = SeededExecutor(choices, self.clock)
        self.identifiers = SeededIdentifiers(0)
        self.errors: list[BaseException] = []
        self._choices = choices
        self._moves_left = most_moves
        self._will: list[_Event] = []
        self._may: list[_Event] = []
        self._servers: list[InProcessServer] = []
        self._engines: list[SimulatedEngine] = []
        self._clients: list[InlineTask] = []
        self._has_blocking_clients = False
        self._stack = ExitStack()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            self.executor.drop(client)
        self._stack.close()

    # -- who takes part --------------------------------------------------------------

    def server(
        self, options: dict[str, Any] | None = None, *, faults: EnvironmentWrapper | None = None, **named: Any
    ) -> InProcessServer:
        """Start a server; it stops at the end. The parameters are those of `orthanc_lab.in_process`."""
        around = PausingFiles(faults)
        server: InProcessServer = self._stack.enter_context(
            in_process(options, executor=self.executor, faults=around, **named)
        )
        self._servers.append(server)
        server.session.mount(server.url, WsgiTransport(pausing(server.application)))
        return server

    def jobs_engine(
        self, *kinds: JobKind, workers: int = 2, make: Callable[..., JobsEngine] = JobsEngine, **options: Any
    ) -> SimulatedEngine:
        """Start a jobs engine without a server around it, a hundred times faster than one.

        Parameters
        ----------
        *kinds
            Classes of its jobs, beside `CountingJob`, with `type` and `restore`.
        workers
            How many jobs run at the same time.
        make
            Another class of engine.
        **options
            ``history_size``, ``media_archive_size`` …, as `JobsEngine` takes them.
        """
        options = {"concurrent_jobs": workers, "on_error": self.errors.append, **options}
        self._engines.append(SimulatedEngine(self.executor, self.identifiers, kinds, make, **options))
        return self._engines[-1]

    def client(self, name: str, code: Callable[[], object] | Steps) -> None:
        """Let the code of a client take part.

        Parameters
        ----------
        name
            What it is called in a schedule.
        code
            A function: ordinary code that sends requests to a `server` of this simulation, with our client, another
            one or none. Others may go first after each of its requests, after each piece of an answer that comes in
            pieces, and while it is in ``time.sleep``, which takes simulated time. If it has not ended when the scenario
            has, that is a failure. Or a generator, for what sends no requests: others may go first where it yields,
            and ``yield 2.5`` waits for 2.5 seconds of `clock`.
        """
        name = self._new_name(name)
        if callable(code):
            if not self._has_blocking_clients:
                self._has_blocking_clients = True
                self._stack.enter_context(simulated_time())
            self._clients.append(BlockingClient(name, code, self.executor).task)
        else:
            self.executor.spawn(name, code)

    def _new_name(self, name: str) -> str:
        taken = {TIME, _END, *self.executor.names(), *(event.name for event in (*self._will, *self._may))}
        if check_name(name) in taken:
            raise ValueError(f"There is already a {name!r} in this simulation: a schedule could not tell them apart")
        return name

    # -- what happens ----------------------------------------------------------------

    def will(self, name: str, act: Callable[[], object]) -> None:
        """Call a function at some moment of a later `run`: a command, the submission of a job."""
        self._will.append(_Event(self._new_name(name), act, 1))

    def may(self, name: str, act: Callable[[], object], *, times: int = 1) -> None:
        """Call a function at some moments of a later `run`, `times` times at most, or never: a crash."""
        self._may.append(_Event(self._new_name(name), act, times))

    def choose(self, name: str, values: Sequence[Any]) -> Any:
        """Let the schedule choose one of several values, the first one if it says nothing.

        Raises
        ------
        ValueError
            If there are none, or two that read the same.
        """
        texts = [check_name(f"{name} = {value}") for value in values]
        if not texts or len(set(texts)) < len(texts):
            raise ValueError(f"The values of {name!r} must be one or more, and differ as text")
        return values[self._choices.choose(texts)]

    def run(self, until: Callable[[], object] | None = None, *, seconds: float = 60.0) -> None:
        """Let everything go on until nothing can, and all that `will` happen has.

        Parameters
        ----------
        until
            Ends earlier, as soon as this returns something true.
        seconds
            How much time may pass.

        Raises
        ------
        EndlessError
            If it goes on for too many moves.
        AssertionError
            If nothing goes on any more, and `until` does not hold.
        """
        end = self.clock.monotonic() + seconds
        while until is None or not until():
            if not self._move(end):
                if until is not None:
                    raise AssertionError("Nothing goes on any more, and what was waited for is not so")
                return

    def _move(self, end: float) -> bool:
        if not self._moves_left:
            raise EndlessError("The scenario still goes on after very many moves")
        self._moves_left -= 1
        executor = self.executor
        ready = executor.ready()
        names = [task.name for task in ready]
        names += [event.name for event in self._will]
        due = executor.next_due()
        if due is not None and self.clock.monotonic() < due <= end:
            names.append(TIME)
        if not names:
            if not self._may:
                return False
            names.append(_END)
        names += [event.name for event in self._may]
        index = self._choices.choose(names, optional=len(self._may))
        if index < len(ready):
            executor.go_on(ready[index])
            return True
        return self._let_happen(names[index], index - len(ready), due)

    def _let_happen(self, name: str, index: int, due: float | None) -> bool:
        if index < len(self._will):
            self._will.pop(index).act()
        elif name == TIME and due is not None:
            self.clock.advance(due - self.clock.monotonic())
        elif name == _END:
            return False
        else:
            event = next(event for event in self._may if event.name == name)
            event.times -= 1
            if not event.times:
                self._may.remove(event)
            event.act()
        return True

    def job_states(self) -> dict[str, JobState]:
        """Return the states of the jobs of all engines and servers, by their ids."""
        engines: list[Jobs] = [simulated.engine for simulated in self._engines]
        engines += [server.services.engine for server in self._servers if server.is_running]
        return {view.id: view.state for engine in engines for view in engine.views()}

    def raise_errors(self) -> None:
        """Raise the errors inside of engines and servers.

        Raises
        ------
        ExceptionGroup
            If there are any.
        AssertionError
            If the function of a client has not ended.
        """
        waiting = [client.name for client in self._clients if not client.is_over]
        if waiting:
            raise AssertionError(f"Not at its end: {', '.join(waiting)}")
        errors = [*self.errors, *(error for server in self._servers for error in server.errors)]
        if errors:
            raise BaseExceptionGroup("Errors inside of the server", errors)
