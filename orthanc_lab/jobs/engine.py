"""The jobs engine: it runs jobs on worker threads, and keeps their list on disk."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.job_outputs import JobOutputs
from orthanc_lab.jobs.job_table import JobTable
from orthanc_lab.jobs.journal import Journal
from orthanc_lab.jobs.machine import Effect, Event, Moment, Report, Status, advance, stop_reason
from orthanc_lab.jobs.ports import Job, JobOutput, JobView, Restore, StopReason
from orthanc_lab.jobs.registry import Registry
from orthanc_lab.jobs.rows import frozen_copy
from orthanc_lab.jobs.worker import run_job
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock, Identifiers

__all__ = ["JobsEngine"]

_LOG = logging.getLogger(__name__)
_state_name = attrgetter("status.state._value_")  # a name is hashed much quicker than a state
_STATES = [(state, state.value) for state in JobState]
_RETRY_SECONDS = 0.5  # between two attempts to write the end of a job to a full disk


def _log_error(error: BaseException) -> None:
    _LOG.error("Error in a job", exc_info=error)


class JobsEngine:
    """Runs jobs by priority, first come first served among equals; the list of jobs survives ``kill -9``.

    The jobs on disk are read at once; `start` lets them run.

    Parameters
    ----------
    database
        The SQLite file of the list; None keeps it in memory (``SaveJobs: false``).
    outputs
        Folder of the files that jobs leave behind; of this engine alone.
    restores
        How to make a job of each durable type again.
    concurrent_jobs
        Number of workers (``ConcurrentJobs``); 0 for one a processor.
    history_size
        How many ended jobs are kept (``JobsHistorySize``).
    media_archive_size
        How many jobs keep their output (``MediaArchiveSize``).
    load_jobs
        False starts with an empty list (``--no-jobs``).
    on_error
        Told of each exception of a job that is no `OrthancError`.

    Raises
    ------
    OrthancError
        3 for a number out of range, 11 if the database cannot be opened.
    """

    def __init__(
        self,
        database: Path | None,
        outputs: Path,
        clock: Clock,
        identifiers: Identifiers,
        *,
        restores: Mapping[str, Restore] | None = None,
        concurrent_jobs: int = 2,
        history_size: int = 10,
        media_archive_size: int = 1,
        load_jobs: bool = True,
        on_error: Callable[[BaseException], None] = _log_error,
    ) -> None:
        if concurrent_jobs < 0 or history_size < 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The numbers of jobs must not be negative")
        self.report = on_error
        self._clock = clock
        self._identifiers = identifiers
        self._number_of_workers = concurrent_jobs or os.cpu_count() or 1
        self._history_size = history_size
        self._registry = Registry(database, keep=load_jobs)
        self._journal = Journal(self._registry, restores or {}, clock, on_error)
        self._job_outputs = JobOutputs(outputs, media_archive_size, identifiers, self._journal.save_outputs, on_error)
        self._table = JobTable()
        self._stopped = threading.Event()
        self._workers: list[threading.Thread] = []
        if load_jobs:
            self._restore_all()

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers."""
        _LOG.info("The jobs engine has started with %d threads", self._number_of_workers)
        for number in range(self._number_of_workers):
            worker = threading.Thread(target=self._work, name=f"jobs-worker-{number}", daemon=True)
            self._workers.append(worker)
            worker.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the current steps, write all down and release the callers that wait.

        Parameters
        ----------
        timeout
            Seconds to wait for a step that does not end.
        """
        self._stopped.set()
        self._table.close()
        for worker in self._workers:
            worker.join(timeout)
        for entry in self._table.entries():
            if entry.ended is not None:
                entry.ended.set()
        self._registry.close()

    @property
    def stopping(self) -> bool:
        """True once `stop` was called: no further step is begun."""
        return self._stopped.is_set()

    # -- in ------------------------------------------------------------------------

    def submit(self, job: Job, priority: int = 0) -> str:
        """Write a job down, let it wait for a worker and return its id.

        Raises
        ------
        OrthancError
            19 or 11 if it cannot be written, 36 if the engine has stopped.
        """
        return self._submit(job, priority, wait=False).id

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Submit a job and wait for its end, also across a pause.

        Raises
        ------
        OrthancError
            The code and details of a job that failed or was canceled, 7 if no history is
            kept, 36 if the engine stops meanwhile.
        """
        entry = self._submit(job, priority, wait=True)
        assert entry.ended is not None
        entry.ended.wait()
        entry.ended = None
        status = entry.status
        if not status.state.is_final:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The server is stopping")
        if self._history_size == 0:
            raise OrthancError(
                ErrorCode.INEXISTENT_ITEM,
                'Cannot retrieve the status of the job, make sure that "JobsHistorySize" is not 0',
            )
        if status.state is JobState.FAILURE:
            raise OrthancError(status.error_code, status.error_details)
        return entry.view(self._now)

    def new_output(self, suffix: str) -> Path:
        """Return the name of a fresh file in the folder of outputs; `suffix` as in ``.zip``.

        The file outlives a restart as long as its name stands in what the job serializes,
        or in its outputs.
        """
        return self._job_outputs.new_file(suffix)

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

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        counts = Counter(map(_state_name, self._table.entries_in_any_order()))
        return {state: counts[name] for state, name in _STATES}

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
        """Run a failed job again from its beginning; False if there is none by this id.

        Raises
        ------
        OrthancError
            6 if the job cannot be run again.
        """
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
        if entry is None or entry.status.state is not JobState.SUCCESS:
            return False
        return self._job_outputs.drop_one(entry, key)

    def _command(self, id: str, event: Event) -> bool:
        entry = self._table.get(id)
        return entry is not None and self._advance(entry, event)

    # -- moves ---------------------------------------------------------------------

    def move(self, entry: Entry, event: Event, report: Report | None = None) -> None:
        """Make a move on behalf of a worker; a disk that is full is waited for."""
        told = False
        while True:
            try:
                self._advance(entry, event, report)
                return
            except OrthancError as error:
                if not told:
                    self.report(error)
                told = True
            if self._stopped.wait(_RETRY_SECONDS):
                return

    def interrupt(self, entry: Entry) -> None:
        """Let go of a running job because the engine stops; it goes on after the next start."""
        with entry.lock:
            self._journal.checkpoint(entry, entry.status, at_once=True)
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
            entry.ended = threading.Event()
        self._journal.begin(entry)
        if not self._table.add(entry) and entry.ended is not None:
            entry.ended.set()
        return entry

    def _advance(self, entry: Entry, event: Event, report: Report | None = None) -> bool:
        with entry.lock:
            if not self._table.holds(entry):
                return False
            after, effects = advance(entry.status, event, self._now(), report)
            for effect in effects:
                if effect is Effect.REFUSE:
                    return False
                self._carry_out(effect, entry, after)
            if Effect.SAVE not in effects:
                entry.status = after
        if Effect.COMPLETE in effects:
            self._trim_history()
        return True

    def _carry_out(self, effect: Effect, entry: Entry, after: Status) -> None:
        match effect:
            case Effect.RESET:
                if entry.job is None:
                    self._journal.make_again(entry)
                assert entry.job is not None
                entry.job.reset()
            case Effect.STOP:
                self._stop_job(entry, stop_reason(after))
            case Effect.SAVE:
                self._journal.save(entry, after)
                entry.status = after
            case Effect.CHECKPOINT:
                self._journal.checkpoint(entry, after)
            case Effect.QUEUE:
                self._table.queue(entry)
            case Effect.COMPLETE:
                self._complete(entry)
            case Effect.REVIVE:
                self._table.leave_history(entry)
            case Effect.FORGET:
                self._journal.forget(entry)
                self._remove(entry)

    def _stop_job(self, entry: Entry, reason: StopReason) -> None:
        if entry.job is None or entry.stopped_for is reason:
            return
        try:
            entry.job.stop(reason)
        except Exception as error:
            self.report(error)
        entry.stopped_for = reason

    def _complete(self, entry: Entry) -> None:
        self._table.enter_history(entry)
        if entry.ended is not None:
            entry.ended.set()
        if entry.status.state is JobState.SUCCESS:
            entry.job = entry.payload = None
            if entry.outputs:
                self._job_outputs.put(entry)

    def _remove(self, entry: Entry) -> None:
        self._table.remove(entry)
        self._job_outputs.drop(entry)

    def _trim_history(self) -> None:
        while (oldest := self._table.surplus(self._history_size)) is not None:
            with oldest.lock:
                # It may have been deleted or resubmitted meanwhile.
                if self._table.in_history(oldest):
                    self._journal.forget_later(oldest)
                    self._remove(oldest)

    def _restore_all(self) -> None:
        entries, owners = self._journal.read(self._job_outputs.folder)
        self._table.fill(entries)
        for entry in entries:
            if not entry.status.state.is_final:
                self._advance(entry, Event.RESTORED)
        for entry in self._table.history():
            if entry.outputs:
                self._job_outputs.put(entry)
        self._trim_history()
        self._job_outputs.clear_orphans(owners)

    # -- workers -------------------------------------------------------------------

    def _work(self) -> None:
        while (entry := self._table.next_in_line()) is not None:
            try:
                if self._pick(entry):
                    run_job(entry, self)
            except BaseException as error:
                self._give_up(entry, error)

    def _pick(self, entry: Entry) -> bool:
        with entry.lock:
            # It may have been paused or canceled since it was taken out of the line.
            if entry.status.state is not JobState.PENDING:
                return False
            entry.status, _ = advance(entry.status, Event.PICKED, self._now())
            entry.stopped_for = None
            return True

    def _give_up(self, entry: Entry, error: BaseException) -> None:
        # What a job says of itself could not be written down: it fails as it was known last.
        self.report(error)
        status = entry.status
        if status.state is JobState.RUNNING:
            self.move(entry, Event.FAILED, Report(status.progress, status.content, int(ErrorCode.INTERNAL_ERROR)))

    def _now(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())
