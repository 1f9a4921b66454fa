"""What a server knows of the shared list of jobs: all of it, as new as its last look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.job_table import JobTable
from orthanc_lab.jobs.machine import Event, Moment, Status, stop_reason
from orthanc_lab.jobs.ports import Job, StopReason
from orthanc_lab.jobs.ready_queue import Wake
from orthanc_lab.jobs.shared.leases import end_of, status_of
from orthanc_lab.jobs.shared.records import Gone, SharedRow
from orthanc_lab.jobs.shared.shared_entry import SharedEntry, outputs_of
from orthanc_lab.jobs.shared.stopping import stop_shared_job
from orthanc_lab.jobs.shared.store import SharedJobStore
from orthanc_lab.protocol.execution import Happening
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock

__all__ = ["Awaited", "Mirror"]

_TRUST_S = 60.0  # a mirror that was not refreshed for longer is made anew
_REMEMBERED = 10_000  # jobs that are gone; late news of them are disregarded


@dataclass(slots=True)
class Awaited:
    """The end of a job that a caller waits for."""

    ended: Happening
    status: Status | None = None  # None if it is unknown, because the server stops

    def end(self, status: Status | None) -> None:
        """Let the caller go on."""
        if not self.ended.is_set():
            self.status = status
            self.ended.set()


class Mirror:
    """The jobs of all servers, each with its last known row.

    News of a job come from the look at the list, and from the statements of this server, in any order: the version of
    a row says which is newer. The lock of a job is taken while no lock of this class but `_looking` is held.

    Parameters
    ----------
    events
        Where it is noted what happened to jobs.
    now
        The time of an event.
    clock
        Says how old the last look is.
    on_error
        Called with what a job raises when it is stopped.
    """

    def __init__(
        self,
        store: SharedJobStore,
        events: EventLog,
        now: Callable[[], Moment],
        clock: Clock,
        on_error: Callable[[BaseException], None],
    ) -> None:
        self.table = JobTable()
        self._store = store
        self._events = events
        self._now = now
        self._clock = clock
        self._on_error = on_error
        self._looking = threading.Lock()  # held during a look
        self._looks = 0  # that were begun
        self._last_look = 0  # that did not fail
        self._position: int | None = None
        self._looked = 0.0
        self._admitting = threading.Lock()  # guards those below, and the first entry of each job
        self._submitted: dict[str, Job] = {}  # by id, until they are seen in the list
        self._awaited: dict[str, Awaited] = {}
        self._gone: dict[int, None] = {}  # sequences
        self.epoch = 0  # of the lease of this server
        self._claims: dict[int, tuple[SharedRow, float]] = {}  # of this server, seen in the list before they arrived

    # -- looking -------------------------------------------------------------------

    def refresh(self) -> None:
        """Take in all that was acknowledged, by any server, before this call.

        Raises
        ------
        OrthancError
            As `SharedJobStore.changes`.
        """
        begun = self._looks
        with self._looking:
            if self._last_look > begun:  # it began after this call, and is as good
                return
            self._looks += 1
            self._look()
            self._last_look = self._looks

    def start_anew(self) -> None:
        """Let the next look be at the whole list."""
        with self._looking:
            self._position = None

    def _look(self) -> None:
        time = self._clock.monotonic()
        known = self.table.entries()
        changes = self._store.changes(self._position if time - self._looked <= _TRUST_S else None)
        for row in changes.rows:
            self.learn(row)
        for gone in changes.gone:
            self.forget(gone.id, gone)
        if changes.complete:
            there = {row.id for row in changes.rows}
            for entry in known:
                if entry.id not in there:
                    self.forget(entry.id)
        self._position, self._looked = changes.position, time

    # -- news ----------------------------------------------------------------------

    def expect(self, id: str, job: Job, awaited: Awaited | None) -> None:
        """Remember a job that is about to be submitted, so that it is known when it is seen in the list."""
        with self._admitting:
            self._submitted[id] = job
            if awaited is not None:
                self._awaited[id] = awaited

    def disregard(self, id: str) -> None:
        """Forget a job that could not be submitted."""
        with self._admitting:
            self._submitted.pop(id, None)
            self._awaited.pop(id, None)

    def learn(self, row: SharedRow) -> SharedEntry | None:
        """Take a row in, if it is newer than what is known; return the entry of the job, None if it is gone."""
        with self._admitting:
            if row.sequence in self._gone:
                return None
            entry = self._get(row.id)
            if entry is None:
                return self._admit(row)
        with entry.lock:
            return self.update(entry, row)

    def update(self, entry: SharedEntry, row: SharedRow) -> SharedEntry:
        """Take a row in, with the lock of its job held; return the entry of the job, which may be another one now."""
        if row.version <= entry.version or not self.table.holds(entry):
            return entry
        if entry.is_run_here:
            if row.fence != entry.fence:
                entry = self._lose(entry, row)
                with self._admitting:
                    self._note_own_claim(row)
                return entry
            self._take_orders(entry, row)
            return entry
        if row.fence > entry.fence:
            with self._admitting:
                if self._note_own_claim(row):
                    return entry
        self._keep_job_if_current(entry, row.fence == entry.fence)
        after = status_of(row)
        self._stop_for_others(entry, after)
        entry.outputs = outputs_of(row)
        entry.know(row)
        self.table.set_status(entry, after)
        self.note_end(entry)
        return entry

    def settle(self, entry: SharedEntry, row: SharedRow, status: Status) -> None:
        """Take in what this server has written of a job, whose lock is held."""
        entry.know(row)
        if self.table.holds(entry):
            self.table.set_status(entry, status)
        if status.state is not JobState.RUNNING:
            entry.wake = None
        self.note_end(entry)

    def begin_run(self, row: SharedRow, worker: Wake, number: int) -> SharedEntry | None:
        """Let a worker have a job that this server has claimed; None if it is gone already."""
        with self._admitting:
            if row.sequence in self._gone:
                return None
            entry = self._get(row.id) or self._admit(row)
        with entry.lock:
            row = self._as_seen_last(row)
            if row.version < entry.version:
                return None
            if entry.is_run_here:  # as one that was lost
                entry = self._lose(entry, row)
            self._keep_job_if_current(entry, row.fence <= entry.fence + 1)
            status = status_of(row)
            if entry.status.state is not JobState.PENDING:
                self.table.set_status(entry, replace(status, state=JobState.PENDING))
            entry.know(row)
            entry.wake, entry.worker, entry.stopped_for = worker, number, None
            self._events.moved(Event.PICKED, entry, self._now(), status)
            self.table.set_status(entry, status)
            return entry

    def stranded(self, seconds: float) -> list[SharedRow]:
        """Return the jobs that this server has claimed without knowing it: the answer was lost so many seconds ago."""
        latest = self._clock.monotonic() - seconds
        with self._admitting:
            found = [row for row, time in self._claims.values() if time <= latest]
            for row in found:
                del self._claims[row.sequence]
        return [row for row in found if row.epoch == self.epoch]

    def forget(self, id: str, gone: Gone | None = None) -> None:
        """Take note that a job was removed from the list."""
        entry = self._get(id)
        if entry is None:
            return
        with entry.lock:
            self.drop(entry, Happened.DROPPED, end_of(gone) if gone is not None else None)

    def drop(self, entry: SharedEntry, event: Happened, status: Status | None = None) -> None:
        """Forget a job, whose lock is held.

        Parameters
        ----------
        status
            Its last one, if that is not known yet.
        """
        if not self.table.holds(entry):
            return
        self._events.record(event, entry, self._now(), entry.status, None)
        self._remember_gone(entry.sequence)
        self.table.remove(entry)
        if entry.is_run_here:
            entry.lost, entry.wake = True, None  # its worker will find out
        elif not entry.status.state.is_final:
            stop_shared_job(self._store, entry, StopReason.SHUTDOWN, self._on_error)
        self._end_wait(entry.id, status if status is not None else entry.status)

    def note_end(self, entry: SharedEntry) -> None:
        """Let the caller go on that waits for a job, if it has ended."""
        status = entry.status
        if not status.state.is_final:
            return
        self._end_wait(entry.id, status)
        if status.state is JobState.SUCCESS:
            entry.job = entry.payload = None

    def release_all(self) -> None:
        """Let all callers go on: this server learns no more of their jobs."""
        with self._admitting:
            awaited, self._awaited = self._awaited, {}
        for one in awaited.values():
            one.end(None)

    # -- in detail -----------------------------------------------------------------

    def _get(self, id: str) -> SharedEntry | None:
        entry = self.table.get(id)
        assert entry is None or isinstance(entry, SharedEntry)
        return entry

    def _admit(self, row: SharedRow) -> SharedEntry:
        job = self._submitted.pop(row.id, None)
        entry = SharedEntry(row, job)
        if row.epoch == self.epoch and row.claimed is not None:
            self._claims.setdefault(row.sequence, (row, self._clock.monotonic()))
        elif job is not None and row.fence:
            stop_shared_job(self._store, entry, StopReason.SHUTDOWN, self._on_error)
            entry.job = None
        if job is not None:
            entry.fence = 0  # that of the submission; a claim of this server comes one behind it
            self._events.record(Happened.SUBMITTED, entry, self._now(), None, entry.status)
            is_first_claim = row.fence == 1 and row.holder == self.epoch
            self._keep_job_if_current(entry, row.fence == 0 or is_first_claim)
        self.table.add(entry)
        self._note_own_claim(row)
        return entry

    def _note_own_claim(self, row: SharedRow) -> bool:
        """Remember a job that this server has claimed, and is about to know of, or never will: return whether it has.

        Others may have commanded the job meanwhile.
        """
        if row.epoch != self.epoch or row.state != JobState.RUNNING.value:
            return False
        _, time = self._claims.get(row.sequence, (row, self._clock.monotonic()))
        self._claims[row.sequence] = row, time
        return True

    def _as_seen_last(self, row: SharedRow) -> SharedRow:
        """Return the row of a job that was just claimed, with what it was told since."""
        with self._admitting:
            seen, _ = self._claims.pop(row.sequence, (row, 0.0))
        return seen if seen.fence == row.fence and seen.version > row.version else row

    def _keep_job_if_current(self, entry: SharedEntry, is_current: bool) -> None:
        """Let go of a job that another server has run since."""
        if entry.job is not None and not is_current:
            stop_shared_job(self._store, entry, StopReason.SHUTDOWN, self._on_error)
            entry.job = entry.payload = None

    def _take_orders(self, entry: SharedEntry, row: SharedRow) -> None:
        """Let the worker of a job know what it was told through another server."""
        there = status_of(row)
        entry.know(row)
        self.table.set_status(entry, replace(entry.status, pausing=there.pausing, canceling=there.canceling))
        if entry.wake is not None:
            entry.wake()

    def _stop_for_others(self, entry: SharedEntry, after: Status) -> None:
        """Stop a job that does not run here, and was paused or canceled through another server."""
        if entry.job is not None and after.state is not entry.status.state and _rests(after):
            stop_shared_job(self._store, entry, stop_reason(after), self._on_error)

    def _lose(self, entry: SharedEntry, row: SharedRow) -> SharedEntry:
        """Let another entry stand for a job that another server may run by now; its worker here will find out."""
        successor = SharedEntry(row)
        wake, entry.lost, entry.wake = entry.wake, True, None
        self.table.replace(entry, successor)
        self._events.record(Happened.LOST, entry, self._now(), entry.status, successor.status)
        if wake is not None:
            wake()
        self.note_end(successor)
        return successor

    def _end_wait(self, id: str, status: Status) -> None:
        with self._admitting:
            awaited = self._awaited.pop(id, None)
        if awaited is not None:
            awaited.end(status if status.state.is_final else None)

    def _remember_gone(self, sequence: int) -> None:
        with self._admitting:
            self._gone[sequence] = None
            if len(self._gone) > _REMEMBERED:
                del self._gone[next(iter(self._gone))]


def _rests(status: Status) -> bool:
    return status.state.is_final or status.state is JobState.PAUSED
