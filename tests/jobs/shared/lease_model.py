"""Servers that share a list of jobs, as a model: clocks that pause, statements and answers that arrive late.

Each server issues statements and goes on with the answers, as the real one does. A schedule, a list of numbers, decides
what comes next: a statement is carried out, an answer arrives, time passes, a server is stopped and goes on, is killed,
leaves, somebody commands a job. After each event the checker looks whether two servers own a job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orthanc_lab.jobs.machine import Effect, Event, Report, Status, advance
from orthanc_lab.jobs.rows import write_status
from orthanc_lab.jobs.shared import leases
from orthanc_lab.jobs.shared.leases import Book
from orthanc_lab.jobs.shared.records import JobMove, NewJob, SharedRow
from orthanc_lab.protocol.jobs import JobState

DURATION = 3.0
STEPS = 3
KINDS = ("Counting",)
SERVERS = 3
Write = Callable[[Book, JobMove], tuple[Book, SharedRow | None]]
Statement = Callable[[], Any]
Reaction = Callable[[Any], None]


class DoubleOwner(AssertionError):
    """Two servers had an effect on one job at the same time."""


def without_fence(book: Book, move: JobMove) -> tuple[Book, SharedRow | None]:
    """Carry a move out whatever has happened since it was decided: the planted bug."""
    row = book.jobs.get(move.sequence)
    if row is None:
        return book, None
    return leases.write(book, replace(move, version=row.version, fence=row.fence))


@dataclass
class Server:
    """What one server believes."""

    number: int
    epoch: int | None = None
    run: dict[int, tuple[SharedRow, Status]] = field(default_factory=dict)  # what it believes to run
    busy: set[object] = field(default_factory=set)  # what it waits for an answer to
    stopped: bool = False
    life: int = 0  # raised by a crash: answers to the one before are lost


@dataclass(frozen=True)
class OnItsWay:
    """A statement that was not carried out yet, or an answer that has not arrived."""

    server: Server
    life: int
    statement: Statement | None
    react: Reaction
    answer: Any = None


class Model:
    """The list of jobs, the servers, and what is on its way between them."""

    def __init__(self, jobs: int = 2, write: Write = leases.write) -> None:
        self.book = Book()
        self.now = 1000.0
        self.write = write
        self.servers = [Server(number) for number in range(SERVERS)]
        self.on_its_way: list[OnItsWay] = []
        self.completions: dict[int, int] = {}
        self.fences: dict[int, int] = {}
        for number in range(jobs):
            status = write_status(Status(content={"Done": 0}, since=self.now))
            new = NewJob(f"job-{number}", "Counting", number, "", status, self.now, "{}", 0)
            self.book, row = leases.insert(self.book, new)
            self.fences[row.sequence] = row.fence

    # -- the schedule --------------------------------------------------------------

    def follow(self, schedule: Sequence[int]) -> None:
        """Let happen what a schedule says, and check after each event."""
        for choice in schedule:
            kind, which = choice % 16, choice // 16
            server = self.servers[which % SERVERS]
            match kind:
                case 0 | 1:
                    self.now += (0.5, 1.0, 2.5)[which % 3]
                case 2 | 3 | 4 | 5 | 6:
                    self.act(server, which // SERVERS)
                case 7 | 8 | 9 | 10 | 11 | 12:
                    self.arrive(which)
                case 13:
                    server.stopped = not server.stopped
                case 14:
                    self.command(server, which // SERVERS)
                case _:
                    self.end(server, gracefully=which // SERVERS % 2 == 0)
            self.check()

    def settle(self) -> None:
        """Let all that is possible happen, until nothing is left to do."""
        for server in self.servers:
            server.stopped = False
        for _ in range(100):
            self.now += 0.5
            for server in self.servers:
                for what in range(4):
                    self.act(server, what)
                while self.on_its_way:
                    self.arrive(0)
                self.check()
            if all(JobState(row.state).is_final for row in self.book.jobs.values()):
                return
            for place, row in enumerate(self.book.jobs.values()):
                if row.state == JobState.PAUSED.value:
                    self.command(self.servers[0], 3 * place + 2)
        raise AssertionError(f"a job is left behind: {self.book}")

    # -- what a server does --------------------------------------------------------

    def issue(self, server: Server, what: object, statement: Statement, react: Reaction) -> None:
        """Send a statement, unless the answer to one of this kind has not come yet."""
        if what in server.busy:
            return
        server.busy.add(what)

        def reacted(answer: Any) -> None:
            server.busy.discard(what)
            react(answer)

        self.on_its_way.append(OnItsWay(server, server.life, statement, reacted))

    def arrive(self, which: int) -> None:
        """Carry out a statement, or let an answer arrive: any of them, in any order."""
        if not self.on_its_way:
            return
        item = self.on_its_way.pop(which % len(self.on_its_way))
        if item.statement is not None:
            answer = item.statement()  # also of a server that was stopped or killed meanwhile
            self.on_its_way.append(replace(item, statement=None, answer=answer))
        elif item.life == item.server.life:
            if item.server.stopped:
                self.on_its_way.append(item)
            else:
                item.react(item.answer)

    def act(self, server: Server, what: int) -> None:
        """Let a server do one of the things that its tasks do."""
        if server.stopped:
            return
        if server.epoch is None:
            self.issue(server, "lease", lambda: self.register(server), lambda epoch: self.join(server, epoch))
            return
        epoch = server.epoch
        match what % 4:
            case 0:
                self.issue(server, "lease", lambda: self.renew(epoch), lambda kept: self.renewed(server, epoch, kept))
            case 1:
                if not server.run:
                    self.issue(server, "worker", lambda: self.claim(epoch), lambda row: self.claimed(server, row))
            case 2:
                self.issue(server, "look", self.look, lambda _: None)
            case _:
                for sequence in server.run:
                    self.step(server, sequence)

    def join(self, server: Server, epoch: int) -> None:
        server.epoch = epoch

    def renewed(self, server: Server, epoch: int, kept: bool) -> None:
        if not kept and server.epoch == epoch:
            server.epoch = None
            server.run.clear()

    def claimed(self, server: Server, row: SharedRow | None) -> None:
        if row is not None and row.epoch == server.epoch:
            server.run[row.sequence] = row, leases.status_of(row)

    def step(self, server: Server, sequence: int) -> None:
        row, status = server.run[sequence]
        done = int(status.content["Done"]) + 1
        event = Event.STEPPED if done < STEPS else Event.FINISHED
        after, effects = advance(status, event, leases.moment_of(self.now), Report(done / STEPS, {"Done": done}))
        move = _move(row, after, effects)
        self.issue(
            server, ("step", row.sequence), lambda: self.stepped(move), lambda answer: self.wrote(server, row, answer)
        )

    def wrote(self, server: Server, before: SharedRow, answer: tuple[SharedRow | None, SharedRow | None]) -> None:
        """Go on with a job that was written, or see why it was not."""
        if server.run.get(before.sequence, (None,))[0] is not before:
            return  # given up meanwhile
        row = answer[0]
        if row is None:
            row = answer[1]  # as it is instead: a command may have come, or somebody has taken the job over
            if row is None or row.fence != before.fence or row.state != JobState.RUNNING.value:
                del server.run[before.sequence]
                return
        if row.state == JobState.RUNNING.value:
            server.run[before.sequence] = row, leases.status_of(row)
        else:
            del server.run[before.sequence]

    def end(self, server: Server, *, gracefully: bool) -> None:
        """Kill a server, or stop it; it comes back with nothing in its memory."""
        if gracefully and server.epoch is not None and not server.stopped:
            self.book = leases.leave(self.book, server.epoch, self.now)
        server.life += 1
        server.epoch, server.stopped = None, False
        server.run.clear()
        server.busy.clear()

    # -- what a statement does -----------------------------------------------------

    def register(self, server: Server) -> int:
        self.book, lease = leases.register(self.book, str(server.number), "", "", now=self.now, duration=DURATION)
        return lease.epoch

    def renew(self, epoch: int) -> bool:
        self.book, kept = leases.renew(self.book, epoch, self.now, DURATION)
        return kept

    def claim(self, epoch: int) -> SharedRow | None:
        self.book, row = leases.claim(self.book, epoch, KINDS, self.now)
        return row

    def look(self) -> None:
        self.book = leases.end_leases(self.book, self.now)

    def stepped(self, move: JobMove) -> tuple[SharedRow | None, SharedRow | None]:
        before = self.book.jobs[move.sequence]
        self.book, row = self.write(self.book, move)
        if row is not None:
            self.check_step(before, row)
        return row, self.book.jobs.get(move.sequence)

    def command(self, server: Server, which: int) -> None:
        """Pause, cancel or resume a job, through any server."""
        if server.stopped:
            return
        sequences = sorted(self.book.jobs)
        row = self.book.jobs[sequences[which // 3 % len(sequences)]]
        event = (Event.PAUSE, Event.CANCEL, Event.RESUME)[which % 3]
        after, effects = advance(leases.status_of(row), event, leases.moment_of(self.now))
        if Effect.REFUSE not in effects and effects:
            self.book, written = leases.write(self.book, _move(row, after, effects))
            assert written is not None

    # -- the checker ---------------------------------------------------------------

    def check_step(self, before: SharedRow, after: SharedRow) -> None:
        """Check a step that was written: the next one, by the owner, with regard to what was commanded."""
        status, then = leases.status_of(before), leases.status_of(after)
        if then.content["Done"] != status.content["Done"] + 1:
            raise DoubleOwner(f"step {then.content['Done']} came after step {status.content['Done']}")
        if before.state != JobState.RUNNING.value:
            raise DoubleOwner(f"a step of a job that is {before.state}")
        if (status.pausing or status.canceling) and then.state is JobState.RUNNING:
            raise DoubleOwner("a command was overwritten")
        if then.state is JobState.SUCCESS:
            self.completions[after.sequence] = self.completions.get(after.sequence, 0) + 1
            if self.completions[after.sequence] > 1:
                raise DoubleOwner("a job was completed twice")

    def check(self) -> None:
        """Check that each job has one owner at most among those whose lease is valid."""
        for sequence, row in self.book.jobs.items():
            owners = [
                server.number
                for server in self.servers
                if sequence in server.run and self.is_valid(server) and server.run[sequence][0].fence == row.fence
            ]
            if len(owners) > 1:
                raise DoubleOwner(f"servers {owners} own job {sequence}")
            if row.fence < self.fences[sequence]:
                raise DoubleOwner("a fence was lowered")
            self.fences[sequence] = row.fence

    def is_valid(self, server: Server) -> bool:
        return server.epoch in self.book.leases


def _move(row: SharedRow, after: Status, effects: Sequence[Effect]) -> JobMove:
    return JobMove(
        row.sequence,
        row.version,
        row.fence,
        after.state.value,
        write_status(after),
        after.since,
        queues=Effect.QUEUE in effects,
        ends=Effect.COMPLETE in effects,
        revives=Effect.REVIVE in effects,
    )
