"""The workers of a server that shares its list of jobs: each claims a job and runs it, then the next one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.leaving import stop_job
from orthanc_lab.jobs.machine import Effect, Event, Moment, Report
from orthanc_lab.jobs.ports import Interruptible, StopReason
from orthanc_lab.jobs.ready_queue import Wake
from orthanc_lab.jobs.shared.idle_workers import IdleWorkers
from orthanc_lab.jobs.shared.keeper import Keeper
from orthanc_lab.jobs.shared.mirror import Mirror
from orthanc_lab.jobs.shared.moves import Moves
from orthanc_lab.jobs.shared.records import Payload
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.store import Claimed, SharedJobStore
from orthanc_lab.jobs.shared.unmade import UnmadeJob
from orthanc_lab.jobs.worker import run_jobs
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor, Steps, Task
from orthanc_lab.protocol.job_events import Happened

__all__ = ["Runs"]

_STEP_SECONDS = 1.0  # for steps to end by themselves when the engine stops
_RETRY_SECONDS = 0.2  # between two attempts to write a move, while the list cannot be reached
_REFUSALS = 5  # of the list, until a job fails whose move cannot be written
_AWAY_SECONDS = 0.5  # until a job is tried again that could not reach the database or the bucket
_PASSING = (ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.DATABASE_CANNOT_SERIALIZE, ErrorCode.FULL_STORAGE)


class Runs:
    """`orthanc_lab.jobs.worker.WorkerHost` of the workers.

    Parameters
    ----------
    idle
        The workers that wait for a job.
    kinds
        Types of jobs of other servers that are run here.
    follow_up
        Does what follows from a move that was written.
    on_error
        Called with the errors that no caller gets.
    """

    def __init__(
        self,
        store: SharedJobStore,
        mirror: Mirror,
        moves: Moves,
        keeper: Keeper,
        *,
        events: EventLog,
        idle: IdleWorkers,
        kinds: Sequence[str],
        follow_up: Callable[[SharedEntry, Collection[Effect]], None],
        now: Callable[[], Moment],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.idle = idle
        self.report = on_error
        self.stopping = False
        self._store = store
        self._mirror = mirror
        self._moves = moves
        self._keeper = keeper
        self._events = events
        self._kinds = kinds
        self._follow_up = follow_up
        self._now = now
        self._workers: dict[int, Task] = {}
        self._numbers: dict[Wake, int] = {}
        self._runs: dict[Wake, SharedEntry] = {}

    # -- all of them ---------------------------------------------------------------

    def start(self, executor: Executor, count: int) -> None:
        """Start so many workers."""
        for number in range(count):
            wake = partial(self._wake, number)
            self._numbers[wake] = number + 1
            self._workers[number] = executor.spawn(f"jobs-worker-{number}", self._work(wake))
        self._wake_all()  # one that began to rest before it could be reached may have missed a job

    def stop(self, timeout: float) -> None:
        """Let each worker finish its step and give its job back.

        Parameters
        ----------
        timeout
            Seconds to wait for a step that does not end.
        """
        self.stopping = True
        self._wake_all()
        late, patience = [], min(timeout, _STEP_SECONDS)
        for worker in self._workers.values():
            if not worker.join(patience):
                late.append(worker)
                patience = 0  # it has passed, for the others too
        if late:
            self._interrupt_steps()
        for worker in late:
            worker.join(timeout)

    def _wake(self, number: int) -> None:
        worker = self._workers.get(number)
        if worker is not None:
            worker.wake()

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.wake()

    # -- one of them ---------------------------------------------------------------

    def _work(self, worker: Wake) -> Steps:
        try:
            yield from run_jobs(self, worker)
        finally:
            self._end_run(worker)

    def take(self, worker: Wake) -> Entry | None:
        """Claim the job whose turn it is; None if there is none: then the worker is woken for the next one."""
        self._end_run(worker)
        entry = None
        while entry is None:
            self.idle.rest(worker)
            epoch = self._keeper.epoch
            if epoch is None or self.stopping or not self._keeper.is_sure:
                return None  # the next look wakes the worker
            try:
                claimed = self._store.claim(epoch, self._kinds)
            except OrthancError as error:
                self._keeper.troubled(error)
                return None
            if claimed is None or not self._is_sure_under(epoch):  # too late an answer is as good as one that was lost
                return None
            self.idle.rise(worker)
            entry = self._begin_run(claimed, worker)  # None if the job is gone already, or taken away
        return entry

    def pick(self, entry: Entry, worker: Wake) -> bool:
        """Return True: the job was claimed for this worker."""
        return True

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> Steps:
        """Make a move on behalf of a worker; it is tried again while the list cannot be reached.

        If the list does not take what the move says, the job fails.
        """
        assert isinstance(entry, SharedEntry)
        # A job is not to blame for a database or a bucket that is away: it goes on at its last finished step.
        gives_back = _is_away(event, report) and not entry.bound
        reported, refusals = False, 0
        while not entry.lost:
            if self._keeper.is_sure or self.stopping:
                try:
                    if gives_back:
                        yield _AWAY_SECONDS
                        self._moves.give_back(entry)
                        return
                    effects = self._moves.advance(entry, event, report, moves_on=refusals < _REFUSALS)
                    break
                except OrthancError as error:
                    if not reported:
                        self.report(error)
                    reported = True
                    refusals += error.code not in _PASSING
                    if refusals == _REFUSALS:
                        gives_back, event, report = False, Event.FAILED, _failure(entry, error)
            yield _RETRY_SECONDS
            if self.stopping and reported:
                return
        if entry.lost:
            return  # what is left to do for the run, `_end_run` does under its guard
        if not entry.is_run_here:
            self._store.act_for(None)
            self._finish_up(entry, effects)
        # That may have taken longer than the lease: then others have the job, and the next look tells.
        while entry.is_run_here and not (self._is_sure_under(entry.epoch) or self.stopping):
            yield _RETRY_SECONDS

    def _is_sure_under(self, epoch: int | None) -> bool:
        return self._keeper.is_sure and self._keeper.epoch == epoch

    def _finish_up(self, entry: SharedEntry, effects: Collection[Effect]) -> None:
        try:
            self._follow_up(entry, effects)
        except OrthancError as error:  # the next job that ends makes up for it
            self._keeper.troubled(error)

    def interrupt(self, entry: Entry) -> None:
        """Hand a running job over because the engine stops; another server goes on with it."""
        assert isinstance(entry, SharedEntry)
        try:
            self._moves.give_back(entry)
        except OrthancError as error:
            self.report(error)  # it is taken away when the lease ends

    def _begin_run(self, claimed: Claimed, worker: Wake) -> SharedEntry | None:
        row = claimed.row
        entry = self._mirror.begin_run(row, worker, self._numbers[worker])
        if entry is None:
            return None
        self._runs[worker] = entry
        if row.lost_by is not None:
            with entry.lock:
                self._events.record(Happened.TAKEN_OVER, entry, self._now(), entry.status, entry.status)
            try:
                self._store.taken_over(row)
            except OrthancError as error:  # the job goes on all the same
                self._keeper.troubled(error)
        if entry.job is None:
            self._make(entry, claimed.payload)
        self._store.act_for(row)
        return entry

    def _make(self, entry: SharedEntry, payload: Payload | None) -> None:
        try:
            payload = payload or self._store.payload(entry.sequence) or Payload(None, None)
            self._moves.make_job(entry, payload.payload, payload.position)
        except OrthancError as error:
            self.report(error)
            entry.job = UnmadeJob(entry.type, entry.status, error)

    def _end_run(self, worker: Wake) -> None:
        entry = self._runs.pop(worker, None)
        if entry is not None and entry.lost:
            # Still on behalf of its run: what it has gathered must not be written over what the one after it has made.
            stop_job(entry, StopReason.SHUTDOWN, self.report)
        self._store.act_for(None)

    def _interrupt_steps(self) -> None:
        for entry in tuple(self._runs.values()):
            job = entry.job
            if entry.is_run_here and isinstance(job, Interruptible):
                entry.interrupted = True
                try:
                    job.interrupt()
                except Exception as error:
                    self.report(error)


def _failure(entry: SharedEntry, error: OrthancError) -> Report:
    """Return the report of a job that fails in its last known status."""
    return Report(entry.status.progress, entry.status.content, int(error.code), error.details)


def _is_away(event: Event, report: Report | None) -> bool:
    return event is Event.FAILED and report is not None and report.error_code == ErrorCode.DATABASE_UNAVAILABLE
