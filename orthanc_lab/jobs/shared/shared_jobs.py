"""The jobs engine over a list that several servers share."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping

from orthanc_lab.jobs.entry import Entry
from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.machine import Effect, Event, Moment
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Job, JobOutput, JobView, Restore, StopReason
from orthanc_lab.jobs.rows import write_status
from orthanc_lab.jobs.shared.idle_workers import IdleWorkers
from orthanc_lab.jobs.shared.keeper import Keeper, ServerIdentity
from orthanc_lab.jobs.shared.leases import released, status_of
from orthanc_lab.jobs.shared.mirror import Awaited, Mirror
from orthanc_lab.jobs.shared.moves import Moves
from orthanc_lab.jobs.shared.overview import overview
from orthanc_lab.jobs.shared.records import JobMove, Lease, SharedRow
from orthanc_lab.jobs.shared.retention import Retention
from orthanc_lab.jobs.shared.runs import Runs
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.stopping import stop_shared_job
from orthanc_lab.jobs.shared.store import LOOK, READY, SharedJobStore
from orthanc_lab.jobs.shared.submission import Submission
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock
from orthanc_lab.protocol.threads import ThreadExecutor

__all__ = ["SharedJobs"]

_LOG = logging.getLogger(__name__)


def _log_error(error: BaseException) -> None:
    _LOG.error("Error in a job", exc_info=error)


class SharedJobs:
    """Runs jobs of a list that other servers run, too, and answers for all of them.

    This is the `Jobs` that resources see. Of all jobs that wait, at any server, the one of the highest priority goes
    first, then the one that came first.

    Parameters
    ----------
    store
        The list of jobs; closed by `stop`.
    outputs
        What jobs leave behind, at any server.
    executor
        Runs the workers.
    identity
        What the others call this server.
    lease_duration
        Seconds after which others go on with the jobs of a server that says nothing any more.
    keepers
        Runs the tasks that keep the lease, by the clock of the machine.
    load_jobs
        False forgets all jobs (``--no-jobs``), if no other server is there.
    leaves
        Types of jobs that this server leaves to others, though it knows how to make them.
    tidy
        Called regularly; removes what no job needs any more.
    restores, concurrent_jobs, history_size, media_archive_size, events_size, on_error
        As for `orthanc_lab.jobs.engine.JobsEngine`; the sizes of the history and the archive count for all servers.

    Attributes
    ----------
    events
        What happened to the jobs of this server, and what it did to those of others.

    Raises
    ------
    OrthancError
        3 for a number out of range.
    """

    def __init__(
        self,
        store: SharedJobStore,
        outputs: OutputStore,
        clock: Clock,
        identifiers: Identifiers,
        executor: Executor,
        *,
        identity: ServerIdentity,
        lease_duration: float = 3.0,
        keepers: Executor | None = None,
        restores: Mapping[str, Restore] | None = None,
        leaves: Collection[str] = (),
        concurrent_jobs: int = 2,
        history_size: int = 10,
        media_archive_size: int = 1,
        events_size: int = 100_000,
        load_jobs: bool = True,
        tidy: Callable[[], None] | None = None,
        on_error: Callable[[BaseException], None] = _log_error,
    ) -> None:
        if concurrent_jobs < 0 or history_size < 0 or events_size < 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The numbers of jobs must not be negative")
        if media_archive_size <= 0:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "The size of the media archive must be positive")
        machine = SystemClock()
        self.report = _unless_refused(on_error)
        self.events = EventLog(events_size, clock.now())
        self._store = store
        self._clock = clock
        self._executor = executor
        self._identity = identity
        self._number_of_workers = concurrent_jobs or os.cpu_count() or 1
        self._history_size = history_size
        self._load_jobs = load_jobs
        self._tidy = tidy
        self._idle = IdleWorkers()
        self._closed = False
        self._mirror = Mirror(store, self.events, self._now, machine, self.report)
        self._retention = Retention(
            store,
            self._mirror,
            outputs,
            history_size=history_size,
            media_archive_size=media_archive_size,
            on_error=on_error,
        )
        self._keeper = Keeper(
            store,
            identity,
            keepers or ThreadExecutor(machine),
            machine,
            lease_duration,
            joined=self._joined,
            look=self._look_around,
        )
        self._submission = Submission(store, self._mirror, identifiers, self._idle, now=self._now, epoch=self._epoch)
        self._moves = Moves(
            store,
            self._mirror,
            self.events,
            restores or {},
            now=self._now,
            monotonic=machine.monotonic,
            epoch=lambda: self._keeper.epoch,
            has_idle=lambda: self._idle.has_some,
            on_error=self.report,
        )
        self._runs = Runs(
            store,
            self._mirror,
            self._moves,
            self._keeper,
            events=self.events,
            idle=self._idle,
            kinds=sorted(set(restores or {}).difference(leaves)),
            follow_up=self._follow_up,
            now=self._now,
            on_error=self.report,
        )

    @property
    def stopping(self) -> bool:
        """Whether no further step is begun."""
        return self._runs.stopping

    # -- life ----------------------------------------------------------------------

    def start(self) -> None:
        """Let this server in among the others, and start the workers.

        Raises
        ------
        OrthancError
            36 or 11 if the list cannot be reached.
        """
        self._keeper.start()
        if not self._load_jobs and not self._store.clear(self._epoch()):
            _LOG.warning("The list of jobs is kept: other servers share it")
        self._mirror.start_anew()
        self._mirror.refresh()
        self._store.listen(self._heard)
        _LOG.info("The jobs engine has started with %d workers", self._number_of_workers)
        self._runs.start(self._executor, self._number_of_workers)

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the current steps, hand the jobs over to other servers and release the callers that wait.

        Parameters
        ----------
        timeout
            Seconds to wait for a step that does not end.
        """
        if self._closed:
            return
        self._runs.stop(timeout)
        self._keeper.stop(timeout)
        self._leave()
        self._closed = True
        self._store.close()

    def _leave(self) -> None:
        """Give the lease up; what still runs here is taken away, and what is only here is forgotten."""
        epoch = self._keeper.epoch
        if epoch is not None:
            try:
                self._store.leave(epoch)
                self._mirror.refresh()
            except OrthancError as error:
                self.report(error)  # the lease ends by itself
        self._mirror.release_all()
        for entry in self._mirror.table.entries():
            with entry.lock:
                assert isinstance(entry, SharedEntry)
                state = entry.status.state
                if not state.is_final and state is not JobState.RUNNING:
                    stop_shared_job(self._store, entry, StopReason.SHUTDOWN, self.report)

    # -- in ------------------------------------------------------------------------

    def submit(self, job: Job, priority: int = 0) -> str:
        """Write a job down, let it wait for a worker of any server and return its id."""
        return self._submit(job, priority, None).id

    def run(self, job: Job, priority: int = 0) -> JobView:
        """Submit a job and wait for its end, at any server and also across a pause."""
        awaited = Awaited(self._executor.happening())
        entry = self._submit(job, priority, awaited)
        awaited.ended.wait()
        status = awaited.status
        if status is None:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The server is stopping")
        if self._history_size == 0:
            raise OrthancError(
                ErrorCode.INEXISTENT_ITEM,
                'Cannot retrieve the status of the job, make sure that "JobsHistorySize" is not 0',
            )
        if status.state is JobState.FAILURE:
            raise OrthancError(status.error_code, status.error_details)
        return entry.view_of_end(status)

    def _submit(self, job: Job, priority: int, awaited: Awaited | None) -> SharedEntry:
        if self.stopping:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The jobs engine has stopped")
        return self._submission.submit(job, priority, awaited)

    def _epoch(self) -> int:
        epoch = self._keeper.epoch
        if epoch is None:
            raise OrthancError(ErrorCode.DATABASE_UNAVAILABLE, "The lease of this server has ended")
        return epoch

    # -- look ----------------------------------------------------------------------

    def ids(self) -> list[str]:
        """Return the ids of all jobs, sorted."""
        self._refresh()
        return self._mirror.table.ids()

    def get(self, id: str) -> JobView | None:
        """Return a job as it is now, None if it is unknown."""
        self._refresh()
        entry = self._mirror.table.get(id)
        return None if entry is None else entry.view(self._now)

    def views(self) -> list[JobView]:
        """Return all jobs as they are now, sorted by id."""
        self._refresh()
        return [entry.view(self._now) for entry in self._mirror.table.entries()]

    @property
    def workers(self) -> int:
        """How many jobs this server runs at the same time."""
        return self._number_of_workers

    def ahead(self, id: str) -> int | None:
        """Return how many jobs go before one that waits for a worker; None if it does not."""
        self._refresh()
        entry = self._mirror.table.get(id)
        if entry is None or entry.status.state is not JobState.PENDING:
            return None
        place = _place(entry)
        waiting = (other for other in self._mirror.table.entries() if other.status.state is JobState.PENDING)
        return sum(_place(other) < place for other in waiting)

    def counts(self) -> dict[JobState, int]:
        """Return how many jobs there are in each state."""
        self._refresh()
        return self._mirror.table.counts()

    def cluster(self) -> Cluster:
        """Return the servers that share the list, and what they run."""
        self._refresh()
        return overview(self._store, self._mirror.table, self._keeper.epoch, self._keeper.duration)

    def _refresh(self) -> None:
        if not self._closed:
            self._mirror.refresh()

    def made(self) -> dict[str, Job]:
        """Return the jobs that may run some time, by id."""
        return {entry.id: job for entry in self._mirror.table.entries() if (job := entry.job) is not None}

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
        entry = self._succeeded(id)
        output = None if entry is None else entry.outputs.get(key)
        if entry is not None and output is not None:
            self._store.used(entry.sequence)
        return output

    def delete_output(self, id: str, key: str) -> bool:
        """Remove an output of a job that succeeded; False if there is none."""
        entry = self._succeeded(id)
        output = None if entry is None else self._moves.drop_output(entry, key)
        if output is None:
            return False
        self._retention.remove_output(output)
        return True

    def _succeeded(self, id: str) -> SharedEntry | None:
        entry = self._known(id)
        return entry if entry is not None and entry.status.state is JobState.SUCCESS else None

    def _known(self, id: str) -> SharedEntry | None:
        self._refresh()
        entry = self._mirror.table.get(id)
        return entry if isinstance(entry, SharedEntry) else None

    def _command(self, id: str, event: Event) -> bool:
        while (entry := self._known(id)) is not None:
            effects = self._moves.advance(entry, event)
            if Effect.REFUSE not in effects:
                wake = entry.wake
                if wake is not None:
                    wake()  # it may be waiting between two steps
                self._follow_up(entry, effects)
                return True
            if not entry.lost:  # to another server, at this moment: then there is another entry
                return False
        return False

    def _follow_up(self, entry: SharedEntry, effects: Collection[Effect]) -> None:
        """Do what follows from a move that was written."""
        if Effect.QUEUE in effects:
            self._idle.wake_one()
        self._retention.follow_up(entry, effects)

    # -- the others ----------------------------------------------------------------

    def _joined(self, lease: Lease) -> None:
        self._mirror.epoch = lease.epoch
        self._mirror.start_anew()

    def _heard(self, text: str) -> None:
        word, _, epoch = text.partition(" ")
        if word == READY:
            self._idle.wake_one()
        elif word != LOOK or epoch == str(self._keeper.epoch):
            self._keeper.look_soon()

    def _look_around(self, others: bool) -> None:
        self._mirror.refresh()
        if others:
            for row in self._store.end_leases(self._keeper.epoch):
                self._mirror.learn(row)
            self._retention.trim_history()
            for row in self._mirror.stranded(self._keeper.duration):
                self._give_back_unknown(row)
        if self._mirror.table.counts()[JobState.PENDING]:
            self._idle.wake_all()
        if others and self._tidy is not None:
            self._tidy()

    def _give_back_unknown(self, row: SharedRow) -> None:
        """Let a job wait again that was claimed here, when the answer to the claim was lost."""
        after, _ = released(status_of(row), self._now())
        text = write_status(after)
        move = JobMove(
            row.sequence, row.version, row.fence, after.state.value, text, after.since, revives=True, announced=True
        )
        written = self._store.write(move)
        if written is not None:
            self._mirror.learn(written)

    def _now(self) -> Moment:
        # Servers have the time of day in common, and nothing else.
        now = self._clock.now()
        return Moment(now, now.timestamp())


def _unless_refused(on_error: Callable[[BaseException], None]) -> Callable[[BaseException], None]:
    """Leave out what is refused because another server has the job by now: that is no fault."""

    def report(error: BaseException) -> None:
        if not (isinstance(error, OrthancError) and error.code == ErrorCode.CANCELED_JOB):
            on_error(error)

    return report


def _place(entry: Entry) -> tuple[int, int]:
    return -entry.priority, entry.ticket or 0
