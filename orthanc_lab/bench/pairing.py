"""Measuring in pairs: ours, theirs, theirs, ours, so that any drift of the machine cancels out."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from orthanc_lab.bench.servers import ServerProcess
from orthanc_lab.bench.workload import Cost, Run, Workload

__all__ = ["Measurement", "Result", "measure"]

_CLIENT_BOUND = 0.9  # share of one core that the client may use before the figure becomes doubtful


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of a workload on one server."""

    cost: float  # seconds, or MiB if the workload measures memory
    seconds: float
    operations: int
    cpu: float  # seconds of the server process
    client_cpu: float  # seconds of this process


@dataclass(frozen=True, slots=True)
class Result:
    """All pairs of one workload."""

    workload: Workload
    ours: list[Measurement]
    theirs: list[Measurement]  # theirs[i] was measured next to ours[i]
    memory: tuple[float, float]  # MiB at the end, ours and theirs

    @property
    def ratios(self) -> list[float]:
        """The cost of the other server divided by ours, pair by pair; above 1, ours is better."""
        return [theirs.cost / ours.cost for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def reached(self) -> bool:
        """Whether the ratio reaches the goal."""
        return self.ratio >= self.workload.target

    @property
    def client_bound(self) -> bool:
        """Whether this process, not our server, was the bottleneck."""
        return statistics.median(run.client_cpu / run.seconds for run in self.ours) > _CLIENT_BOUND

    @property
    def is_memory(self) -> bool:
        """Whether the costs are MiB."""
        return self.workload.cost is Cost.MEMORY

    @staticmethod
    def cost(runs: list[Measurement]) -> float:
        """Median of the costs."""
        return statistics.median(run.cost for run in runs)

    @staticmethod
    def per_second(runs: list[Measurement]) -> float:
        """Median of the operations per second."""
        return statistics.median(run.operations / run.seconds for run in runs)

    @staticmethod
    def cpu_ms(runs: list[Measurement]) -> float:
        """Median of the server's CPU time per operation in milliseconds."""
        return statistics.median(run.cpu / run.operations * 1e3 for run in runs)


def _client_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _once(server: ServerProcess, workload: Workload, run: Run) -> Measurement:
    workload.before(server.port)
    client, cpu = _client_cpu(), server.cpu_seconds()
    start = time.perf_counter()
    operations = run(server.port)
    seconds = time.perf_counter() - start
    if workload.cost is Cost.START:
        server.stop()
        seconds = server.start()
        return Measurement(seconds, seconds, 1, server.cpu_seconds(), _client_cpu() - client)
    cost = server.memory_mb() if workload.cost is Cost.MEMORY else seconds
    return Measurement(cost, seconds, operations, server.cpu_seconds() - cpu, _client_cpu() - client)


def measure(
    workload: Workload,
    ours: ServerProcess,
    theirs: ServerProcess,
    rounds: int,
    progress: Callable[[str], None] = lambda text: None,
) -> Result:
    """Run a workload on two running servers, `rounds` times in the order A B B A.

    Parameters
    ----------
    rounds
        Number of rounds, each of which gives two pairs; one uncounted run on each server comes first.
    progress
        Called with a short description of the current step.
    """
    for server in (ours, theirs):
        progress(f"{workload.name}: preparing {server.name}")
        workload.setup(server.port)
    warm = workload.prepare()
    for server in (ours, theirs):
        _once(server, workload, warm)
    mine: list[Measurement] = []
    other: list[Measurement] = []
    for number in range(rounds):
        progress(f"{workload.name}: round {number + 1} of {rounds}")
        for order in ((ours, theirs), (theirs, ours)):
            run = workload.prepare()
            os.sync()  # pending writes from an earlier run must not slow down the next
            for server in order:
                (mine if server is ours else other).append(_once(server, workload, run))
    return Result(workload, mine, other, (ours.memory_mb(), theirs.memory_mb()))
