"""Engines with a bug each, planted by a few lines, and the scenario that it breaks."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.machine import Event, Report, advance
from orthanc_lab.jobs.ports import JobOutput
from orthanc_lab.jobs.ready_queue import ReadyQueue, Wake
from orthanc_lab.protocol.execution import Pace, Steps
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.testing import Simulation
from orthanc_lab.testing.schedules.counting_job import CountingJob
from orthanc_lab.testing.schedules.engine import SimulatedEngine

Engine = Callable[..., JobsEngine]

# -- lost wake-up ---------------------------------------------------------------------------


class LateQueue(ReadyQueue):
    """A worker that finds no job rests one step later, without looking again: a job that comes then wakes nobody."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace)
        self._going_to_rest: list[Wake] = []

    def take(self, worker: Wake) -> Entry | None:
        with self._lock:
            if worker in self._going_to_rest:
                self._going_to_rest.remove(worker)
                self._rest(worker)
                return None
            entry = self._pop()
            if entry is None:
                self._going_to_rest.append(worker)
        if entry is None:
            worker()  # for the next step
        return entry


class SleepyEngine(JobsEngine):
    def start(self) -> None:
        self._ready = LateQueue(self._executor.pace())
        super().start()


def every_job_ends(make: Engine, simulation: Simulation) -> None:
    jobs = simulation.jobs_engine(make=make)
    ids: list[str] = []
    for number in range(3):
        simulation.will(f"submit {number}", lambda: ids.append(jobs.submit(CountingJob(3))))
    simulation.run()
    assert [jobs.state(id) for id in ids] == [JobState.SUCCESS] * 3


# -- a cancel is lost in a pause --------------------------------------------------------------


class StubbornEngine(JobsEngine):
    """The worker that pauses a job writes its status once more, as it was when the pause began."""

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> Steps:
        pauses = entry.status.pausing
        after, _ = advance(entry.status, event, self._now(), report)
        yield from super().move(entry, event, report)
        if pauses:
            yield 0
            self._table.set_status(entry, after)


def a_cancel_ends_a_paused_job(make: Engine, simulation: Simulation) -> None:
    jobs = simulation.jobs_engine(make=make)
    id = jobs.submit(CountingJob(5))
    canceled: list[JobState] = []

    def cancel() -> None:
        before = jobs.state(id)
        if jobs.engine.cancel(id):
            canceled.append(before)

    simulation.will("pause", lambda: jobs.engine.pause(id))
    simulation.will("cancel", cancel)
    simulation.run()
    if canceled == [JobState.PAUSED]:
        assert jobs.state(id) is JobState.FAILURE


# -- priority inversion -------------------------------------------------------------------------


class UnfairQueue(ReadyQueue):
    """A job that waits again has lost its priority."""

    def join(self, entry: Entry) -> None:
        with self._lock:
            entry.ticket = next(self._numbers)
            heapq.heappush(self._heap, (0, entry.ticket, entry))
            wake = self._idle_worker()
        if wake is not None:
            wake()


class UnfairEngine(JobsEngine):
    def start(self) -> None:
        self._ready = UnfairQueue(self._executor.pace())
        super().start()


def the_highest_priority_goes_first(make: Engine, simulation: Simulation) -> None:
    jobs = simulation.jobs_engine(make=make, workers=1)
    ids: dict[int, str] = {}

    def submit(priority: int) -> None:
        ids[priority] = jobs.submit(CountingJob(2), priority)

    for priority in range(3):
        simulation.will(f"submit {priority}", lambda priority=priority: submit(priority))
    simulation.will("pause", lambda: ids and jobs.engine.pause(ids[max(ids)]))
    simulation.will("resume", lambda: [jobs.engine.resume(id) for id in ids.values()])
    simulation.run()
    waiting: dict[str, int] = {}
    for event in jobs.engine.events.since():
        if event.event is Happened.PICKED:
            assert event.priority == max(waiting.values()), "a job of a higher priority waits"
        if event.after is JobState.PENDING:
            waiting[event.job] = event.priority
        else:
            waiting.pop(event.job, None)


# -- an output is freed while it is downloaded -----------------------------------------------------


class LeakyEngine(JobsEngine):
    """Its outputs are opened as they are, not as they were: those that are removed end where they are read."""

    def __init__(self, store: Any, outputs: Any, *arguments: Any, **options: Any) -> None:
        contents = outputs._contents

        def open_as_it_is(name: str) -> BinaryIO:
            if name not in contents:
                raise FileNotFoundError(name)
            return io.BufferedReader(_Live(contents, name), 1)  # type: ignore[return-value, arg-type] # it reads

        outputs.open = open_as_it_is
        super().__init__(store, outputs, *arguments, **options)


class _Live(io.RawIOBase):
    def __init__(self, contents: Mapping[str, bytes], name: str) -> None:
        self._contents, self._name, self._at = contents, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._contents.get(self._name, b"")[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class WritingJob(CountingJob):
    """Leaves ten bytes."""

    type = "Writing"

    def __init__(self, jobs: SimulatedEngine) -> None:
        super().__init__(2)
        self._outputs = jobs.outputs
        self._output = jobs.outputs.new_name(".zip")

    def step(self) -> bool:
        writer, _ = self._outputs.append(self._output, 5 * self.done)
        writer.write(b"bytes")
        writer.close()
        return bool(super().step())

    def serialize(self) -> None:
        return None

    def outputs(self) -> Mapping[str, JobOutput]:
        return {"archive": JobOutput(self._output, "application/zip", "Archive.zip")}


def a_download_is_whole(make: Engine, simulation: Simulation) -> None:
    jobs = simulation.jobs_engine(make=make, media_archive_size=1)
    first = jobs.submit(WritingJob(jobs))
    read: list[bytes] = []

    def download() -> Iterator[float]:
        while not jobs.state(first).is_final:
            yield 1
        try:
            output = jobs.engine.output(first, "archive")
            file = output and jobs.outputs.open(output.name)
        except FileNotFoundError:
            return
        if file:
            read.append(file.read(4))
            yield 0
            read.append(file.read())

    simulation.client("download", download())  # type: ignore[arg-type] # what it yields
    simulation.will("second archive", lambda: jobs.submit(WritingJob(jobs)))
    simulation.run()
    if read:
        assert b"".join(read) == b"bytesbytes"


@dataclass(frozen=True)
class Planted:
    """A bug, what it breaks, how many lines show it at most, and the schedules that are enough to find it."""

    name: str
    engine: Engine
    scenario: Callable[[Engine, Simulation], None]
    lines: int
    schedules: int


PLANTED = (
    Planted("a lost wake-up", SleepyEngine, every_job_ends, 5, 500),
    Planted("a cancel lost in a pause", StubbornEngine, a_cancel_ends_a_paused_job, 4, 500),
    Planted("a priority inversion", UnfairEngine, the_highest_priority_goes_first, 5, 500),
    Planted("an output freed while it is downloaded", LeakyEngine, a_download_is_whole, 5, 500),
)
