"""The jobs engine: its workers run jobs, and their list is kept in a store."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.job_outputs import JobOutputs
from orthanc_lab.jobs.job_table import JobTable
from orthanc_lab.jobs.journal import Journal
from orthanc_lab.jobs.leaving import stop_job
from orthanc_lab.jobs.machine import Effect, Event, Moment, Report, Status, advance, stop_reason
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Interruptible, Job, JobOutput, JobView, Restore, StopReason
from orthanc_lab.jobs.ready_queue import ReadyQueue, Wake
from orthanc_lab.jobs.rows import frozen_copy
from orthanc_lab.jobs.store import JobStore
from orthanc_lab.jobs.worker import run_jobs
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor, Steps, Task
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock, Identifiers

__all__ = ["JobsEngine"]

_LOG = logging.getLogger(__name__)
_STEP_SECONDS = 1.0  # for steps to end by themselves when the engine stops
_RETRY_SECONDS = 0.5  # between two attempts to write the end of a job to a full disk


def _log_error(error: BaseException) -> None:
    _LOG.error("Error in a job", exc_info=error)


class JobsEngine:
    """Runs jobs by priority, first come first served among equals; the list of jobs survives ``kill -9``.

    This is the `Jobs` that resources see. The jobs in the store are read at once; `start` lets them run.

    Parameters
    ----------
    store
        The list of jobs; the engine closes it.
    outputs
        What jobs leave behind; of this engine alone.
    executor
        Runs the workers.
    restores
        How to make a job of each durable type again.
    concurrent_jobs
        Number of workers (``ConcurrentJobs``); 0 for one a processor.
    history_size
        How many ended jobs are kept (``JobsHistorySize``).
    media_archive_size
        How many jobs keep their output (``MediaArchiveSize``).
    events_size
        How many events are kept in the log (``JobsEventsSize``).
    load_jobs
        False starts with an empty list (``--no-jobs``).
    on_error
        Called with each exception of a job other than `OrthancError`.

    Attributes
    ----------
    events
        What happened to the jobs since this engine was made.

    Raises
    ------
    OrthancError
        3 for a number out of range, 11 if the list of jobs cannot be read.
    """

    def __init__(
        self,
        store: JobStore,
        outputs: OutputStore,
        clock: Clock,
        identifiers: Identifiers,
        executor: Executor,
        *,
        restores: Mapping[str, Restore] | None = None,
        concurrent_jobs: int = 2,
        history_size: int = 10,
        media_archive_size: int = 1,
        events_size: int = 100_000,
        load_jobs: bool = True,
        on_error: Callable[[BaseException], None] = _log_error,
    ) -> None:
        if concurrent_jobs < 0 or history_size < 0 or events_size < 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The numbers of jobs must not be negative")
        self.report = on_error
        self.events = EventLog(events_size, clock.now())
        self.stopping = False  # True once `stop` was called: no further step is begun
        self._clock = clock
        self._identifiers = identifiers
        self._executor = executor
        self._number_of_workers = concurrent_jobs or os.cpu_count() or 1
        self._history_size = history_size
        self._store = store
        self._outputs = outputs
        self._journal = Journal(store, restores or {}, clock, on_error)
        journal = self._journal
        self._job_outputs = JobOutputs(
            outputs, media_archive_size, journal.save_outputs, journal.save_outputs_later, on_error
        )
        self._table = JobTable()
        self._ready = ReadyQueue(executor.pace())
        self._workers: dict[int, Task] = {}
        self._numbers: dict[Wake, int] = {}
        if load_jobs:
            self._restore_all()

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers."""
        _LOG.info("The jobs engine has started with %d workers", self._number_of_workers)
        for number in range(self._number_of_workers):
            wake = partial(self._wake, number)
            self._numbers[wake] = number + 1
            steps = run_jobs(self, wake)
            self._workers[number] = self._executor.spawn(f"jobs-worker-{number}", steps)
        self._wake_all()  # one that began to rest before it could be reached may have missed a job

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the current steps, write all down and release the callers that wait.

        Parameters
        ----------
        timeout
            Seconds to wait for a step that does not end.
        """
        self.stopping = True
        self._table.close()
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
        for entry in self._table.entries():
            self._release(entry)
        try:
            self._store.close()
        except OrthancError as error:
            self.report(error)

    # -- in ------------------------------------------------------------------------

    def submit(self, job: Job, priority: int = 0) -> str:
        """Write a job down, let it wait for a worker and return its id."""
        return self._submit(job, priority, wait=False).id

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Submit a job and wait for its end, also across a pause; but not for a disk that cannot take its status."""
        entry = self._submit(job, priority, wait=True)
        assert entry.ended is not None
        entry.ended.wait()
        with entry.lock:
            entry.ended = None
        status = entry.status
        if not status.state.is_final:
            if entry.unwritten is not None:
                raise _not_yet_written(entry.id, entry.unwritten)
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The server is stopping")
        if self._history_size == 0:
            raise OrthancError(
                ErrorCode.INEXISTENT_ITEM,
                'Cannot retrieve the status of the job, make sure that "JobsHistorySize" is not 0',
            )
        if status.state is JobState.FAILURE:
            raise OrthancError(status.error_code, status.error_details)
        return entry.view(self._now)

    # -- look ----------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        return self._table.ids()

    def get(self, id: str) -> JobView | None:
        """Return a job as it is now, None if it is unknown."""
        entry = self._table.get(id)
        return None if entry is None else entry.view(self._now)

    def views(self) -> list[JobView]:
        """Return all jobs as they are now, sorted by id."""
        return [entry.view(self._now) for entry in self._table.entries()]

    @property
    def workers(self) -> int:
        """How many jobs run at the same time."""
        return self._number_of_workers

    def ahead(self, id: str) -> int | None:
        """Return how many jobs go before one that waits for a worker; None if it does not."""
        entry = self._table.get(id)
        return None if entry is None else self._ready.ahead(entry)

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        return self._table.counts()

    def made(self) -> dict[str, Job]:
        """Return the jobs that may run some time, by id."""
        return {entry.id: job for entry in self._table.entries() if (job := entry.job) is not None}

    # -- commands ------------------------------------------------------------------

    def cancel(self, id: str) -> bool:
        """Cancel a job; one that runs ends after its current step. False if it is unknown."""
        return self._command(id, Event.CANCEL)

    def pause(self, id: str) -> bool:
        """Pause a job; one that runs pauses after its current step. False if it is unknown."""
        return self._command(id, Event.PAUSE)

    def resume(self, id: str) -> bool:
        """Let a paused job go on; False if there is none by this id."""
        return self._command(id, Event.RESUME)

    def resubmit(self, id: str) -> bool:
        """Run a failed job again from its beginning; False if there is none by this id."""
        return self._command(id, Event.RESUBMIT)

    def delete(self, id: str) -> bool:
        """Forget an ended job and its outputs; False if there is none by this id."""
        return self._command(id, Event.DELETE)

    def output(self, id: str, key: str) -> JobOutput | None:
        """Return an output of a job that succeeded; counts as a use of it."""
        entry = self._table.get(id)
        if entry is None or entry.status.state is not JobState.SUCCESS:
            return None
        return self._job_outputs.get(entry, key)

    def delete_output(self, id: str, key: str) -> bool:
        """Remove an output of a job that succeeded; False if there is none."""
        entry = self._table.get(id)
        if entry is None:
            return False
        with entry.lock:
            if not self._table.holds(entry) or entry.status.state is not JobState.SUCCESS:
                return False
            return self._job_outputs.drop_one(entry, key)

    def _command(self, id: str, event: Event) -> bool:
        entry = self._table.get(id)
        if entry is None or not self._advance(entry, event):
            return False
        if entry.status.state is JobState.RUNNING and entry.wake is not None:
            entry.wake()  # it may be waiting between two steps
        return True

    # -- moves ---------------------------------------------------------------------

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> Steps:
        """Make a move on behalf of a worker; it is tried again while the disk is full."""
        reported = False
        while True:
            try:
                self._advance(entry, event, report)
                return
            except OrthancError as error:
                if not reported:
                    self.report(error)
                    self._tell(entry, error)
                reported = True
            yield _RETRY_SECONDS
            if self.stopping:
                return

    def _tell(self, entry: Entry, error: OrthancError) -> None:
        """Let the caller go on that waits for a job whose next status cannot be written for now."""
        with entry.lock:
            if entry.ended is not None:
                entry.unwritten = error
                entry.ended.set()

    def interrupt(self, entry: Entry) -> None:
        """Stop a running job because the engine stops; it goes on after the next start."""
        with entry.lock:
            self._journal.note(entry, entry.status, at_once=True)
            self.events.record(Happened.INTERRUPTED, entry, self._now(), entry.status, entry.status)
        self._stop_job(entry, StopReason.SHUTDOWN)

    def _submit(self, job: Job, priority: int, *, wait: bool) -> Entry:
        if self.stopping:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")
        now = self._now()
        id = self._identifiers.uuid()
        while id in self._table:  # a seeded sequence begins anew with each process
            id = self._identifiers.uuid()
        entry = Entry(
            id,
            sequence=self._table.next_sequence(),
            type=job.type,
            priority=priority,
            created=now.utc,
            status=Status(content=frozen_copy(job.content()), since=now.seconds),
            job=job,
        )
        if wait:
            entry.ended = self._executor.happening()
        self._journal.begin(entry)
        self.events.record(Happened.SUBMITTED, entry, now, None, entry.status)
        if self._table.add(entry):
            self._ready.submit(entry)
        else:
            self._release(entry)
        return entry

    def _advance(self, entry: Entry, event: Event, report: Report | None = None) -> bool:
        with entry.lock:
            if not self._table.holds(entry):
                return False
            at = self._now()
            if entry.lacks_kind and event is Event.CANCEL:
                self._give_up(entry, at)
            after, effects = advance(entry.status, event, at, report)
            entered = False
            for effect in effects:
                if effect is Effect.REFUSE:
                    return False
                if effect is Effect.SAVE:
                    self._journal.save(entry, after)
                    self._enter(entry, event, at, after)
                    entered = True
                elif effect is Effect.FORGET:
                    self._journal.forget(entry)
                    self._remove(entry, Happened.DELETE, at)
                else:
                    self._carry_out(effect, entry, after)
            if not entered and after is not entry.status:
                self._enter(entry, event, at, after)
        if Effect.COMPLETE in effects:
            self._trim_history(at)
        return True

    def _give_up(self, entry: Entry, at: Moment) -> None:
        """Let a job whose kind is missing be the failure that it seems to be, also where its kind is there again."""
        self._journal.save(entry, entry.status)
        entry.lacks_kind = False
        self.events.record(Happened.CANCEL, entry, at, entry.status, entry.status)

    def _enter(self, entry: Entry, event: Event, at: Moment, after: Status) -> None:
        # First the log: whoever sees the job in its new state finds there how it came into it.
        self.events.moved(event, entry, at, after)
        self._table.set_status(entry, after)

    def _carry_out(self, effect: Effect, entry: Entry, after: Status) -> None:
        match effect:
            case Effect.RESET:
                if entry.job is None:
                    self._journal.make_again(entry)
                assert entry.job is not None
                entry.job.reset()
            case Effect.STOP:
                self._stop_job(entry, stop_reason(after))
            case Effect.NOTE:
                self._journal.note(entry, after)
            case Effect.CHECKPOINT:
                self._journal.checkpoint(entry, after)
            case Effect.QUEUE:
                self._ready.join(entry)
            case Effect.COMPLETE:
                self._complete(entry)
            case Effect.REVIVE:
                self._table.leave_history(entry)

    def _stop_job(self, entry: Entry, reason: StopReason) -> None:
        stop_job(entry, reason, self.report)

    def _interrupt_steps(self) -> None:
        for entry in self._table.entries():
            job = entry.job
            if entry.status.state is JobState.RUNNING and isinstance(job, Interruptible):
                entry.interrupted = True
                try:
                    job.interrupt()
                except Exception as error:
                    self.report(error)

    def _release(self, entry: Entry) -> None:
        """Let those go on that wait for a job, once no worker will come for it."""
        with entry.lock:
            state = entry.status.state
            if not state.is_final and state is not JobState.RUNNING:
                self._stop_job(entry, StopReason.SHUTDOWN)
            if entry.ended is not None:
                entry.ended.set()

    def _complete(self, entry: Entry) -> None:
        self._table.enter_history(entry)
        if entry.ended is not None:
            entry.ended.set()
        if entry.status.state is JobState.SUCCESS:
            entry.job = entry.payload = None
            if entry.outputs:
                self._job_outputs.put(entry)

    def _remove(self, entry: Entry, event: Happened, at: Moment) -> None:
        self.events.record(event, entry, at, entry.status, None)
        self._table.remove(entry)
        self._job_outputs.drop(entry)

    def _trim_history(self, at: Moment) -> None:
        while (oldest := self._table.surplus(self._history_size)) is not None:
            with oldest.lock:
                # It may have been deleted or resubmitted meanwhile.
                if self._table.in_history(oldest):
                    if not oldest.lacks_kind:
                        self._journal.forget_later(oldest)
                    self._remove(oldest, Happened.DROPPED, at)

    def _restore_all(self) -> None:
        entries, owners = self._journal.read(self._outputs)
        self._table.fill(entries)
        for entry in entries:
            self._advance(entry, Event.RESTORED)
        for entry in self._table.history():
            if entry.outputs:
                self._job_outputs.put(entry)
        self._trim_history(self._now())
        self._job_outputs.clear_orphans(owners)

    # -- workers -------------------------------------------------------------------

    def take(self, worker: Wake) -> Entry | None:
        """Return the job whose turn it is; None if there is none: then the worker is woken for the next one."""
        return self._ready.take(worker)

    def pick(self, entry: Entry, worker: Wake) -> bool:
        """Let a job be run by a worker; False if it was paused or canceled since it was taken."""
        with entry.lock:
            if entry.status.state is not JobState.PENDING:
                return False
            entry.wake = worker
            entry.stopped_for = None
            entry.worker = self._numbers[worker]
            at = self._now()
            after, _ = advance(entry.status, Event.PICKED, at)
            self._enter(entry, Event.PICKED, at, after)
            return True

    def _wake(self, number: int) -> None:
        worker = self._workers.get(number)
        if worker is not None:
            worker.wake()

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.wake()

    def _now(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


def _not_yet_written(id: str, error: OrthancError) -> OrthancError:
    return OrthancError(error.code, f"{error.details}. The job {id} goes on once it can be written down")
