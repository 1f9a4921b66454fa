"""Ordinary code as a client in a simulation: it runs on a thread of its own, which goes on when its turn has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from orthanc_lab.protocol.execution import Steps
from orthanc_lab.protocol.seeded import SeededExecutor
from orthanc_lab.server.environment import Environment, EnvironmentWrapper
from orthanc_lab.storage.files.area import FileArea

__all__ = ["BlockingClient", "PausingFiles", "pausing", "simulated_time"]


class _Ended(BaseException):
    """Ends the code of a client whose simulation is over; not an error that the code could handle."""


class _Current(threading.local):
    client: BlockingClient | None = None


_current = _Current()
_LONGEST_STEP = 60.0  # seconds of the machine; a client that waits for something else would never be heard of again


class BlockingClient:
    """Runs a function; between two of its requests, and while it sleeps, others go on.

    One thread runs at a time: either this one, or the one that lets the client go on.
    """

    def __init__(self, name: str, function: Callable[[], object], executor: SeededExecutor) -> None:
        self.clock = executor.clock
        self._function = function
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._wait: float | None = 0.0  # as a task yields it
        self._is_over = False
        self._is_dropped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"client {name}", daemon=True)
        self.task = executor.spawn(name, self._steps())
        executor.caller = current_client

    def _steps(self) -> Steps:
        self._thread.start()
        try:
            while not self._is_over:
                self._go.release()
                if not self._back.acquire(timeout=_LONGEST_STEP):
                    raise TimeoutError(f"{self._thread.name} waits for something that is not part of the simulation")
                if self._error is not None:
                    raise self._error
                if not self._is_over:
                    yield self._wait
        finally:
            self._is_dropped = True
            self._go.release()

    def suspend(self) -> None:
        """Let others go on until somebody calls `wake`; called on the thread of the client."""
        self.pause(None)

    def wake(self) -> None:
        """Let it go on when its turn comes."""
        self.task.wake()

    def pause(self, seconds: float | None) -> None:
        """Let others go on; called on the thread of the client."""
        if self._is_dropped:
            raise _Ended
        self._wait = seconds
        self._back.release()
        self._go.acquire()
        if self._is_dropped:
            raise _Ended

    def _run(self) -> None:
        _current.client = self
        self._go.acquire()
        try:
            if not self._is_dropped:
                self._function()
        except _Ended:
            pass
        except BaseException as error:
            self._error = error
        self._is_over = True
        self._back.release()


def current_client() -> BlockingClient | None:
    """Return the client on whose thread this is called."""
    return _current.client


def pausing(application: WSGIApplication) -> WSGIApplication:
    """Return an application after whose answers, and before whose further pieces, others may go first."""

    def paused(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = application(environ, start_response)
        _pause(0)
        return _pieces(answer)

    return paused


def _pieces(answer: Iterable[bytes]) -> Iterator[bytes]:
    try:
        for number, piece in enumerate(answer):
            if number:
                _pause(0)
            yield piece
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def _pause(seconds: float) -> None:
    client = _current.client
    if client is not None:
        client.pause(seconds)


class PausingFiles:
    """Lets others go first in the middle of a request: where a file was written, and before one is removed.

    Parameters
    ----------
    faults
        What else is around the environment of the server.
    """

    def __init__(self, faults: EnvironmentWrapper | None = None) -> None:
        self._faults = faults

    def around(self, environment: Environment) -> Environment:
        """Return an environment with such files."""
        inner = environment if self._faults is None else self._faults.around(environment)
        return replace(inner, file_area=lambda area: _PausingArea(inner.file_area(area)))


class _PausingArea:
    def __init__(self, area: FileArea) -> None:
        self._area = area

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        self._area.write(name, data, sync=sync)
        _pause(0)

    def sync(self, name: str) -> None:
        self._area.sync(name)

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        return self._area.read(name, size, offset)

    def remove(self, name: str) -> None:
        _pause(0)
        self._area.remove(name)


@contextmanager
def simulated_time() -> Iterator[None]:
    """Let clients, and nobody else, sleep by the clock of their simulation, and ask it for the time."""
    sleep, monotonic, now = time.sleep, time.monotonic, time.time

    def simulated_sleep(seconds: float) -> None:
        client = _current.client
        if client is None:
            sleep(seconds)
        else:
            client.pause(seconds)

    def simulated_monotonic() -> float:
        client = _current.client
        return monotonic() if client is None else client.clock.monotonic()

    def simulated_now() -> float:
        client = _current.client
        return now() if client is None else client.clock.now().timestamp()

    time.sleep = simulated_sleep  # type: ignore[assignment] # the name of its parameter
    time.monotonic, time.time = simulated_monotonic, simulated_now
    try:
        yield
    finally:
        time.sleep, time.monotonic, time.time = sleep, monotonic, now
