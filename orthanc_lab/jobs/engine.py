"""The jobs engine: it runs jobs on worker threads, and keeps their list on disk."""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from pathlib import Path

from orthanc_lab.jobs.documents import dumps, loads
from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.line import Line
from orthanc_lab.jobs.machine import Effect, Event, Moment, Report, Status, advance, stop_reason
from orthanc_lab.jobs.ports import Job, JobOutput, JobView, Restore, StopReason
from orthanc_lab.jobs.registry import Registry, checkpoint, insertion, removal, success, update
from orthanc_lab.jobs.restoring import make_job, restore_entry
from orthanc_lab.jobs.rows import JobRow, changed_keys, frozen_copy, write_outputs, write_status
from orthanc_lab.jobs.shelf import Shelf
from orthanc_lab.jobs.worker import run_job
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock, Identifiers

__all__ = ["JobsEngine"]

_LOG = logging.getLogger(__name__)
_CHECKPOINT_SHARE = 50  # a checkpoint may take one part in 50 of the time
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
        self._clock = clock
        self._identifiers = identifiers
        self._restores = restores or {}
        self._number_of_workers = concurrent_jobs or os.cpu_count() or 1
        self._history_size = history_size
        self.report = on_error
        self._shelf = Shelf(outputs, media_archive_size, identifiers, on_error)
        self._registry = Registry(database, keep=load_jobs)
        self._stopped = threading.Event()
        # This lock guards the collections below; a job's own lock is taken before it, never after.
        self._ready = threading.Condition(threading.Lock())
        self._entries: dict[str, Entry] = {}
        self._sorted_ids: list[str] = []
        self._history: dict[str, Entry] = {}  # the ended ones, oldest completion first
        self._line = Line()
        self._sequence = 0
        self._workers: list[threading.Thread] = []
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
        with self._ready:
            self._stopped.set()
            self._ready.notify_all()
        for worker in self._workers:
            worker.join(timeout)
        for entry in list(self._entries.values()):
            if entry.ended is not None:
                entry.ended.set()
        self._registry.close()

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
        return self._shelf.new_file(suffix)

    # -- look ----------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        with self._ready:
            return self._sorted_ids.copy()

    def get(self, id: str) -> JobView | None:
        """Return a job as it is now, None if it is unknown."""
        entry = self._entries.get(id)
        return None if entry is None else entry.view(self._now)

    def views(self) -> list[JobView]:
        """Return all jobs as they are now, sorted by id."""
        with self._ready:
            entries = [self._entries[id] for id in self._sorted_ids]
        return [entry.view(self._now) for entry in entries]

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        counts = dict.fromkeys(JobState, 0)
        with self._ready:
            entries = list(self._entries.values())
        for entry in entries:
            counts[entry.status.state] += 1
        return counts

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
        entry = self._entries.get(id)
        if entry is None or entry.status.state is not JobState.SUCCESS:
            return None
        return self._shelf.get(entry, key)

    def delete_output(self, id: str, key: str) -> bool:
        """Remove an output of a job that succeeded; False if there is none."""
        entry = self._entries.get(id)
        if entry is None or entry.status.state is not JobState.SUCCESS:
            return False
        return self._shelf.drop_one(entry, key)

    def _command(self, id: str, event: Event) -> bool:
        entry = self._entries.get(id)
        return entry is not None and self._advance(entry, event)

    # -- moves ---------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        """True once `stop` was called: no further step is begun."""
        return self._stopped.is_set()

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

    def _advance(self, entry: Entry, event: Event, report: Report | None = None) -> bool:
        with entry.lock:
            if self._entries.get(entry.id) is not entry:
                return False
            after, effects = advance(entry.status, event, self._now(), report)
            if Effect.SAVE not in effects:
                entry.status = after
            for effect in effects:
                if effect is Effect.REFUSE:
                    return False
                self._carry_out(effect, entry, after)
        if Effect.COMPLETE in effects:
            self._trim_history()
        return True

    def _carry_out(self, effect: Effect, entry: Entry, after: Status) -> None:
        match effect:
            case Effect.RESET:
                self._reset(entry)
            case Effect.STOP:
                self._stop_job(entry, stop_reason(after))
            case Effect.SAVE:
                self._save(entry, after)
                entry.status = after
            case Effect.QUEUE:
                with self._ready:
                    self._line.join(entry)
                    self._ready.notify()
            case Effect.COMPLETE:
                self._complete(entry)
            case Effect.REVIVE:
                with self._ready:
                    self._history.pop(entry.id, None)
            case Effect.FORGET:
                if entry.saved:
                    self._registry.write(removal(entry.sequence))
                self._forget(entry)

    def _reset(self, entry: Entry) -> None:
        if entry.job is None:
            row = self._registry.row(entry.sequence)
            if row is None:
                raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "This job was not saved, and cannot be run again")
            entry.payload, entry.job = make_job(row, self._restores)
        entry.job.reset()

    def _stop_job(self, entry: Entry, reason: StopReason) -> None:
        if entry.job is None or entry.stopped_for is reason:
            return
        try:
            entry.job.stop(reason)
        except Exception as error:
            self.report(error)
        entry.stopped_for = reason

    def _complete(self, entry: Entry) -> None:
        with self._ready:
            self._history[entry.id] = entry
        if entry.ended is not None:
            entry.ended.set()
        if entry.status.state is JobState.SUCCESS:
            entry.job = entry.payload = None
            if entry.outputs:
                self._shelf.put(entry)

    def _forget(self, entry: Entry) -> None:
        with self._ready:
            del self._entries[entry.id]
            del self._sorted_ids[bisect_left(self._sorted_ids, entry.id)]
            self._history.pop(entry.id, None)
        self._shelf.drop(entry)

    def _trim_history(self) -> None:
        while True:
            with self._ready:
                if len(self._history) <= self._history_size:
                    return
                oldest = next(iter(self._history.values()))
            with oldest.lock:
                # It may have been deleted or resubmitted meanwhile.
                if self._history.get(oldest.id) is oldest:
                    # A line left on disk by a crash would be dropped for its age at the next start.
                    if oldest.saved:
                        self._registry.write_later(removal(oldest.sequence))
                    self._forget(oldest)

    # -- on disk -------------------------------------------------------------------

    def _submit(self, job: Job, priority: int, *, wait: bool) -> Entry:
        now = self._now()
        if self.stopping:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")
        status = Status(content=frozen_copy(job.content()), since=now.seconds)
        with self._ready:
            self._sequence += 1
            sequence = self._sequence
        id = self._identifiers.uuid()
        while id in self._entries:
            id = self._identifiers.uuid()
        entry = Entry(id, sequence=sequence, type=job.type, priority=priority, created=now.utc, status=status, job=job)
        if wait:
            entry.ended = threading.Event()
        payload = job.serialize()
        if payload is not None:
            self._registry.write(insertion(_row(entry, status, dumps(payload))))
            entry.saved = True
        with self._ready:
            self._entries[id] = entry
            insort(self._sorted_ids, id)
            self._line.join(entry)
            self._ready.notify()
            if self.stopping and entry.ended is not None:
                entry.ended.set()  # no worker will take it any more
        return entry

    def _save(self, entry: Entry, status: Status) -> None:
        if not entry.saved:
            if status.state.is_final:
                self._registry.write(insertion(_row(entry, status, None)))
                entry.saved = True
            return
        state, text = status.state.value, write_status(status)
        if status.state is JobState.SUCCESS:
            self._registry.write(success(entry.sequence, state, text, write_outputs(entry.outputs)))
            return
        # While the job runs, only its worker may ask it for its position.
        position = None if status.state is JobState.RUNNING else self._position(entry)
        if position is None:
            self._registry.write(update(entry.sequence, state, text, "{}"))
        else:
            self._registry.write(checkpoint(entry.sequence, state, text, position))

    def _position(self, entry: Entry) -> str | None:
        if entry.job is None:
            return None
        try:
            if entry.payload is None:
                row = self._registry.row(entry.sequence)
                entry.payload = loads(row.payload) if row is not None and row.payload is not None else {}
            return dumps(changed_keys(entry.payload, entry.job.serialize() or {}))
        except Exception as error:
            self.report(error)
            return None

    def checkpoint(self, entry: Entry) -> None:
        """Write down how far a running job is, unless that was done a moment ago."""
        if entry.saved and self._clock.monotonic() >= entry.next_checkpoint:
            self._write_checkpoint(entry)

    def interrupt(self, entry: Entry) -> None:
        """Let go of a running job because the engine stops; it goes on after the next start."""
        if entry.saved:
            self._write_checkpoint(entry)
        self._stop_job(entry, StopReason.SHUTDOWN)

    def _write_checkpoint(self, entry: Entry) -> None:
        begin = self._clock.monotonic()
        position = self._position(entry)
        if position is not None:
            with entry.lock:
                status = entry.status
                try:
                    self._registry.write(checkpoint(entry.sequence, status.state.value, write_status(status), position))
                except OrthancError as error:
                    self.report(error)
        end = self._clock.monotonic()
        entry.next_checkpoint = end + _CHECKPOINT_SHARE * (end - begin)

    def _restore_all(self) -> None:
        now = self._now()
        rows = list(self._registry.rows())
        entries = []
        for row in rows:
            entry, sound = restore_entry(row, self._restores, self._shelf.folder, now.utc, self.report)
            if not sound:
                self._try_to_save(entry)
            entries.append(entry)
            self._entries[entry.id] = entry
        self._sorted_ids = sorted(self._entries)
        self._sequence = max((entry.sequence for entry in entries), default=0)
        ended = [entry for entry in entries if entry.status.state.is_final]
        ended.sort(key=lambda entry: entry.status.completion_time or entry.created)
        for entry in ended:
            self._history[entry.id] = entry
            if entry.outputs:
                self._shelf.put(entry)
        for entry in entries:
            if not entry.status.state.is_final:
                self._advance(entry, Event.RESTORED)
        self._trim_history()
        self._shelf.clear_orphans(f"{row.payload}{row.position}{row.outputs}" for row in rows)

    def _try_to_save(self, entry: Entry) -> None:
        try:
            self._save(entry, entry.status)
        except OrthancError as error:
            self.report(error)

    # -- workers -------------------------------------------------------------------

    def _work(self) -> None:
        while (entry := self._next()) is not None:
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

    def _next(self) -> Entry | None:
        with self._ready:
            while not self.stopping:
                entry = self._line.pop()
                if entry is not None:
                    return entry
                self._ready.wait()
            return None

    def _now(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


def _row(entry: Entry, status: Status, payload: str | None) -> JobRow:
    return JobRow(
        entry.sequence,
        entry.id,
        entry.type,
        entry.priority,
        entry.created.isoformat(),
        status.state.value,
        write_status(status),
        write_outputs(entry.outputs),
        payload,
        None,
    )
