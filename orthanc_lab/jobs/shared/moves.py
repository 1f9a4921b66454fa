"""Moving a job of a shared list from one status to the next: decided from what is known, written if that is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from orthanc_lab.jobs.event_log import EventLog
from orthanc_lab.jobs.machine import Effect, Event, Moment, Report, Status, advance, stop_reason
from orthanc_lab.jobs.ports import Job, JobOutput, Restore, StopReason
from orthanc_lab.jobs.restoring import make_job
from orthanc_lab.jobs.rows import changed_keys, write_outputs, write_status
from orthanc_lab.jobs.shared.leases import released
from orthanc_lab.jobs.shared.mirror import Mirror
from orthanc_lab.jobs.shared.records import JobMove
from orthanc_lab.jobs.shared.shared_entry import SharedEntry
from orthanc_lab.jobs.shared.stopping import stop_shared_job
from orthanc_lab.jobs.shared.store import SharedJobStore
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.job_events import Happened
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.json_text import dumps, loads

__all__ = ["Moves"]

_SHARE = 50  # notes may take one part in 50 of the time
_ATTEMPTS = 1000  # after each of them, another server has moved the job
_COMMANDS = frozenset((Event.PAUSE, Event.CANCEL, Event.RESUME, Event.RESUBMIT, Event.DELETE))
_WRITTEN = frozenset((Effect.SAVE, Effect.CHECKPOINT))


class Moves:
    """Carries out what the state machine says.

    Parameters
    ----------
    restores
        How to make a job of each durable type again.
    now
        The time of an event.
    monotonic
        A clock for the pauses between two notes.
    epoch
        Returns the epoch of this server's lease; None between two of them.
    has_idle
        Returns whether a worker of this server waits for a job; if not, others are told of a new one.
    on_error
        Called with the errors that no caller gets.
    """

    def __init__(
        self,
        store: SharedJobStore,
        mirror: Mirror,
        events: EventLog,
        restores: Mapping[str, Restore],
        *,
        now: Callable[[], Moment],
        monotonic: Callable[[], float],
        epoch: Callable[[], int | None],
        has_idle: Callable[[], bool],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._events = events
        self._restores = restores
        self._now = now
        self._monotonic = monotonic
        self._epoch = epoch
        self._has_idle = has_idle
        self._on_error = on_error

    def advance(
        self, entry: SharedEntry, event: Event, report: Report | None = None, *, moves_on: bool = True
    ) -> Sequence[Effect]:
        """Make a move; return its effects, and REFUSE if it is not possible now.

        Parameters
        ----------
        moves_on
            The position of a job that runs here is written, too; else the last written one is kept.

        Raises
        ------
        OrthancError
            If it cannot be written: then nothing has changed. 6 if the job cannot be run again.
        """
        for _ in range(_ATTEMPTS):
            with entry.lock:
                if entry.lost or not self._mirror.table.holds(entry):
                    return (Effect.REFUSE,)
                effects = self._attempt(entry, event, report, moves_on=moves_on)
                if effects is not None:
                    return effects
            found = self._look_again(entry)
            if found is not entry and event not in _COMMANDS:
                return (Effect.REFUSE,)  # what a worker says holds for its run, and not for the one that came after it
            entry = found
        raise _contended()

    def _attempt(
        self, entry: SharedEntry, event: Event, report: Report | None, *, moves_on: bool
    ) -> Sequence[Effect] | None:
        """Return the effects of a move; None if the job is not as it was known."""
        at = self._now()
        after, effects = advance(entry.status, event, at, report)
        if Effect.REFUSE in effects:
            return effects
        if Effect.FORGET in effects:
            if not self._store.remove(entry.sequence, entry.version):
                return None
            self._mirror.drop(entry, Happened.DELETE)
            return effects
        position = self._begin_again(entry) if Effect.RESET in effects else None
        # This may come too late, at a job that another server has ended or goes on with: then its output stays.
        stops_once_written = after.state is JobState.FAILURE
        if Effect.STOP in effects and not stops_once_written:
            stop_shared_job(self._store, entry, stop_reason(after), self._on_error)
        if not _WRITTEN.isdisjoint(effects):
            # While a job runs, only its worker may ask it for its position.
            if moves_on and entry.is_run_here and event not in _COMMANDS and after.state is not JobState.SUCCESS:
                position = self._position(entry)
            if not self._write(entry, event, at, (after, effects), position):
                return None
            if Effect.STOP in effects and stops_once_written:
                stop_shared_job(self._store, entry, stop_reason(after), self._on_error)
            return effects
        if Effect.NOTE in effects and self._is_due(entry):
            if not self._note(entry, event, at, (after, effects)):
                return None
        elif after is not entry.status:
            self._events.moved(event, entry, at, after)
            self._mirror.table.set_status(entry, after)
        return effects

    def drop_output(self, entry: SharedEntry, key: str) -> JobOutput | None:
        """Take an output from a job that succeeded; return it, None if there is none.

        Raises
        ------
        OrthancError
            If that cannot be written.
        """
        for _ in range(_ATTEMPTS):
            with entry.lock:
                output = entry.outputs.get(key)
                if output is None or not self._mirror.table.holds(entry):
                    return None
                rest = {other: item for other, item in entry.outputs.items() if other != key}
                move = replace(self._move(entry, entry.status, (), None), outputs=write_outputs(rest), looks=())
                row = self._store.write(move)
                if row is not None:
                    entry.outputs = rest
                    self._mirror.settle(entry, row, entry.status)
                    return output
            entry = self._look_again(entry)
        raise _contended()

    def give_back(self, entry: SharedEntry) -> None:
        """Let any server go on with a job that runs here, from its last finished step.

        Raises
        ------
        OrthancError
            If that cannot be written.
        """
        for _ in range(_ATTEMPTS):
            with entry.lock:
                if entry.lost or not entry.is_run_here or entry.bound:
                    return  # one that only this server can run goes with it
                at = self._now()
                after, effects = released(entry.status, at)
                goes_on = after.state is JobState.PENDING
                reason = StopReason.SHUTDOWN if goes_on else stop_reason(after)
                stop_shared_job(self._store, entry, reason, self._on_error)
                position = self._position(entry)  # what it holds back until then is in the output now
                row = self._store.write(self._move(entry, after, effects, position))
                if row is not None:
                    self._events.record(Happened.INTERRUPTED, entry, at, entry.status, after)
                    entry.job = entry.payload = None
                    self._mirror.settle(entry, row, after)
                    return
            if self._look_again(entry) is not entry:
                return  # the run that came after it is not given back
        raise _contended()

    def make_job(self, entry: SharedEntry, payload: str | None, position: str | None) -> Job:
        """Make the job of an entry from what was written down.

        Raises
        ------
        OrthancError
            As `orthanc_lab.jobs.restoring.make_job`.
        """
        entry.payload, entry.job = make_job(entry.type, payload, position, self._restores)
        return entry.job

    # -- writing -------------------------------------------------------------------

    def _note(self, entry: SharedEntry, event: Event, at: Moment, decided: tuple[Status, Sequence[Effect]]) -> bool:
        """Write down how far a running job is; a failure is only reported: the next note makes up for it."""
        begin = self._monotonic()
        try:
            is_written = self._write(entry, event, at, decided, self._position(entry))
        except OrthancError as error:
            self._on_error(error)
            is_written = True
            self._events.moved(event, entry, at, decided[0])
            self._mirror.table.set_status(entry, decided[0])
        end = self._monotonic()
        entry.next_note = end + _SHARE * (end - begin)
        return is_written

    def _is_due(self, entry: SharedEntry) -> bool:
        return self._monotonic() >= entry.next_note

    def _write(
        self,
        entry: SharedEntry,
        event: Event,
        at: Moment,
        decided: tuple[Status, Sequence[Effect]],
        position: str | None,
    ) -> bool:
        after, effects = decided
        row = self._store.write(self._move(entry, after, effects, position))
        if row is None:
            return False
        self._events.moved(event, entry, at, after)
        self._mirror.settle(entry, row, after)
        return True

    def _move(self, entry: SharedEntry, after: Status, effects: Sequence[Effect], position: str | None) -> JobMove:
        queues = Effect.QUEUE in effects
        return JobMove(
            entry.sequence,
            entry.version,
            entry.fence,
            after.state.value,
            write_status(after),
            after.since,
            position=position,
            outputs=write_outputs(entry.outputs) if after.state is JobState.SUCCESS else None,
            queues=queues and entry.status.state is not JobState.RUNNING,
            ends=Effect.COMPLETE in effects,
            revives=Effect.REVIVE in effects,
            announced=queues and not self._has_idle(),
            looks=self._who_looks(entry, after),
        )

    def _who_looks(self, entry: SharedEntry, after: Status) -> Sequence[int]:
        """Return which servers are to look at once: the one that has the job, and the one at which a caller waits."""
        own = self._epoch()
        wanted = {entry.epoch, None if entry.is_run_here else entry.holder}
        if after.state.is_final:
            wanted.add(entry.awaited)
        return tuple(epoch for epoch in wanted if epoch is not None and epoch != own)

    def _look_again(self, entry: SharedEntry) -> SharedEntry:
        """Take in what another server has made of a job; return its entry."""
        row = self._store.row(entry.sequence)
        if row is None:
            self._mirror.forget(entry.id)
            return entry
        return self._mirror.learn(row) or entry

    # -- positions -----------------------------------------------------------------

    def _begin_again(self, entry: SharedEntry) -> str | None:
        """Send a job back to its beginning; return its position there."""
        if entry.job is None:
            saved = self._store.payload(entry.sequence)
            if saved is None:
                return None  # it is gone, and the move is refused
            self.make_job(entry, saved.payload, saved.position)
        assert entry.job is not None
        entry.job.reset()
        return self._position(entry)

    def _position(self, entry: SharedEntry) -> str | None:
        """Return what has changed in the payload since it was written, None if that cannot be found out."""
        if entry.job is None or entry.bound:
            return None
        try:
            if entry.payload is None:
                saved = self._store.payload(entry.sequence)
                entry.payload = loads(saved.payload) if saved is not None and saved.payload is not None else {}
            return dumps(changed_keys(entry.payload, entry.job.serialize() or {}))
        except Exception as error:
            self._on_error(error)
            return None


def _contended() -> OrthancError:
    return OrthancError(ErrorCode.DATABASE_CANNOT_SERIALIZE, "Other servers move this job all the time")
